/** Where the time of a step goes: every call into the native library, timed. */
import { loadTensorFlow, type LoadOptions } from '../src/engine/load.ts';

/** All calls of one kind, per step. */
export interface OperationTotal {
  readonly name: string;
  readonly calls: number;
  readonly ms: number;
}

export interface OperationTotals {
  readonly step: string;
  /** Milliseconds of one step, the timers' own cost included. */
  readonly stepMs: number;
  /** Slowest first; what is not in them is JavaScript. */
  readonly operations: readonly OperationTotal[];
}

export interface OperationRecorder {
  readonly totals: OperationTotals[];
  start(step: string, steps: number): void;
  stop(elapsedMs: number): void;
}

type Native = (...args: never[]) => unknown;

/** Calls of the binding beside `executeOp`; those are named by their operation. */
const OTHER_CALLS = ['createTensor', 'deleteTensor', 'tensorDataSync'] as const;

/** Times the native binding's calls: on the processor they return when they are done. */
export async function recordOperations(options: LoadOptions): Promise<OperationRecorder> {
  const { tf } = await loadTensorFlow(options);
  const backend = tf.backend() as unknown as { binding: Readonly<Record<string, Native>> };
  const { binding } = backend;
  const running = new Map<string, { calls: number; ms: number }>();
  const timed = (nameOf: (args: never[]) => string, call: Native): Native => {
    return (...args) => {
      const started = performance.now();
      const result = call.apply(binding, args);
      const name = nameOf(args);
      const total = running.get(name) ?? { calls: 0, ms: 0 };
      running.set(name, { calls: total.calls + 1, ms: total.ms + performance.now() - started });
      return result;
    };
  };
  // The binding's own properties are read-only; these stand in front of them.
  const timedBinding = Object.create(binding) as typeof binding;
  const wrap = (call: string, nameOf: (args: never[]) => string): void => {
    Object.defineProperty(timedBinding, call, { value: timed(nameOf, binding[call] as Native) });
  };
  wrap('executeOp', ([name]) => name as unknown as string);
  for (const call of OTHER_CALLS) wrap(call, () => call);
  backend.binding = timedBinding;

  const totals: OperationTotals[] = [];
  let current = { step: '', steps: 1 };
  return {
    totals,
    start: (step, steps) => {
      running.clear();
      current = { step, steps };
    },
    stop: (elapsedMs) => {
      const operations = [...running]
        .map(([name, { calls, ms }]) => ({
          name,
          calls: calls / current.steps,
          ms: ms / current.steps,
        }))
        .sort((a, b) => b.ms - a.ms);
      totals.push({ step: current.step, stepMs: elapsedMs / current.steps, operations });
    },
  };
}
