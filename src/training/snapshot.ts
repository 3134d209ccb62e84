/**
 * A search's state as plain data and back: the one place that knows all its parts. What is not
 * listed here is a function of the seed and of the counters that are.
 */

import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';
import { TrialError } from '../foundation/errors.ts';
import type { BoardEntry } from '../algorithms/cream/board.ts';
import { isPathOf } from '../searchspace/path.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import type { Supernet } from '../supernet/supernet.ts';
import type { SearchPlan } from './plan.ts';
import type { SearchState } from './state.ts';

/** Numbers of one tensor, row by row. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** The parts of a state that are few numbers: plain JSON. */
export interface SnapshotValues extends Omit<SearchState, 'supernet' | 'meta' | 'board'> {
  readonly meta: { readonly bias: number; readonly biasVelocity: number };
  readonly board: {
    readonly capacity: number;
    readonly entries: readonly Omit<BoardEntry, 'probe'>[];
  };
}

/** A whole state that no later step can change. */
export interface Snapshot {
  readonly values: SnapshotValues;
  /** Names begin with `weight/`, `velocity/`, `running/`, `meta/` or `board/`. */
  readonly arrays: readonly NamedArray[];
}

/** Copies a state; waits for the device. */
export function takeSnapshot({ supernet, meta, board, ...values }: SearchState): Snapshot {
  return {
    values: {
      ...values,
      meta: { bias: meta.bias, biasVelocity: meta.velocity.bias },
      board: {
        capacity: board.capacity,
        entries: board.entries.map(({ probe: _, ...entry }) => entry),
      },
    },
    arrays: [
      ...supernetArrays(supernet),
      { name: 'meta/weight', shape: [meta.weight.length], values: meta.weight },
      { name: 'meta/velocity', shape: [meta.weight.length], values: meta.velocity.weight },
      ...board.entries.flatMap(({ probe }, i) => {
        const { imageSize: size, classes } = supernet.space;
        const count = probe.probabilities.length / classes;
        const { images, probabilities } = probe;
        return [
          { name: `board/${i}/images`, shape: [count, size, size, 3], values: images },
          { name: `board/${i}/probabilities`, shape: [count, classes], values: probabilities },
        ];
      }),
    ],
  };
}

function supernetArrays({ engine, parameters, running }: Supernet): NamedArray[] {
  const arrayOf = (name: string, tensor: Tensor): NamedArray => ({
    name,
    shape: tensor.shape,
    values: engine.read(tensor),
  });
  return [
    ...parameters.map(({ name, value }) => arrayOf(`weight/${name}`, value)),
    ...parameters.flatMap(({ name, velocity }) =>
      velocity === null ? [] : [arrayOf(`velocity/${name}`, velocity)],
    ),
    ...running
      .entries()
      .flatMap(([name, { mean, variance }]) => [
        arrayOf(`running/${name}/mean`, mean),
        arrayOf(`running/${name}/variance`, variance),
      ]),
  ];
}

/**
 * Makes a snapshot the state of a supernet of the same space, in place of the one it had.
 *
 * @throws TrialError CHECKPOINT_INVALID, the supernet being unchanged, when an array is missing,
 *   has another shape, or belongs to nothing, or when no search of that plan has such counters.
 */
export function restoreSnapshot(
  snapshot: Snapshot,
  supernet: Supernet,
  plan: SearchPlan,
): SearchState {
  requirePossible(snapshot.values, supernet.space, plan);
  const { meta, board, ...values } = snapshot.values;
  const arrays = new ArrayStock(snapshot.arrays);
  const { imageSize: size, classes } = supernet.space;
  const count = plan.probeImages;
  const entries = board.entries.map((entry, i) => ({
    ...entry,
    probe: {
      images: arrays.float32(`board/${i}/images`, [count, size, size, 3]),
      probabilities: arrays.float32(`board/${i}/probabilities`, [count, classes]),
    },
  }));
  const inputs = [count * classes];
  const weight = arrays.float64('meta/weight', inputs);
  const velocity = { weight: arrays.float64('meta/velocity', inputs), bias: meta.biasVelocity };
  const restoreTensors = tensorsFor(supernet, arrays);
  arrays.requireEmpty();
  restoreTensors();
  return {
    ...values,
    supernet,
    meta: { weight, bias: meta.bias, velocity },
    board: { capacity: board.capacity, entries },
  };
}

/** Counters and paths follow from the steps: a file that says otherwise could go on for ever. */
function requirePossible(
  { step, reports, ranking, board }: SnapshotValues,
  space: SearchSpace,
  { stepsPerEpoch, totalSteps }: SearchPlan,
): void {
  const first = reports.length * stepsPerEpoch;
  const last = Math.min(first + stepsPerEpoch, totalSteps);
  if (step < first || step > last) {
    const wanted = `a step from ${first} to ${last} after ${reports.length} epochs`;
    throw invalid('state.step', wanted, String(step));
  }
  if (reports.length > 0 && ranking.length === 0) {
    throw invalid('state.ranking', 'the paths of the last report', 'none');
  }
  const stranger = [...board.entries, ...ranking].find(({ path }) => !isPathOf(space, path));
  if (stranger !== undefined) {
    throw invalid('state', `paths of ${space.name}`, `[${stranger.path.join()}]`);
  }
}

/** Takes a supernet's numbers out of the stock; gives the function that puts them into place. */
function tensorsFor(supernet: Supernet, arrays: ArrayStock): () => void {
  const { engine, parameters, running } = supernet;
  const weights = parameters.map(({ name, shape }) => arrays.float32(`weight/${name}`, shape));
  const velocities = parameters.map(({ name, shape }) =>
    arrays.has(`velocity/${name}`) ? arrays.float32(`velocity/${name}`, shape) : null,
  );
  // Those of a batch norm that has not been met are not there.
  const moments = parameters.flatMap(({ name: gamma, shape }) => {
    const name = gamma.replace(/\/gamma$/, '');
    if (name === gamma || !arrays.has(`running/${name}/mean`)) return [];
    const mean = arrays.float32(`running/${name}/mean`, shape);
    const variance = arrays.float32(`running/${name}/variance`, shape);
    return [{ name, shape, mean, variance }];
  });
  return () => {
    parameters.forEach((parameter, i) => {
      const { value, velocity, shape } = parameter;
      engine.dispose(velocity === null ? [value] : [value, velocity]);
      parameter.value = keptTensor(engine, weights[i] as Float32Array, shape);
      const slot = velocities[i];
      parameter.velocity = slot ? keptTensor(engine, slot, shape) : null;
    });
    running.dispose();
    for (const { name, shape, mean, variance } of moments) {
      running.replace(name, {
        mean: engine.tensor(mean, shape),
        variance: engine.tensor(variance, shape),
      });
    }
  };
}

function keptTensor(engine: Engine, values: Float32Array, shape: readonly number[]): Tensor {
  return engine.keep(engine.tensor(values, shape));
}

/** Arrays by name, each to be taken once. */
class ArrayStock {
  readonly #arrays: Map<string, NamedArray>;

  constructor(arrays: readonly NamedArray[]) {
    this.#arrays = new Map(arrays.map((array) => [array.name, array]));
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  float32(name: string, shape: readonly number[]): Float32Array {
    return this.#take(name, { type: Float32Array, shape });
  }

  float64(name: string, shape: readonly number[]): Float64Array {
    return this.#take(name, { type: Float64Array, shape });
  }

  requireEmpty(): void {
    const [left] = this.#arrays.values();
    if (left === undefined) return;
    throw invalid(left.name, 'nothing of that name', `[${left.shape.join()}]`);
  }

  #take<T extends NamedArray['values']>(
    name: string,
    { type, shape }: { type: new (length: number) => T; shape: readonly number[] },
  ): T {
    const array = this.#arrays.get(name);
    this.#arrays.delete(name);
    const fits = array?.shape.join() === shape.join();
    if (fits && array.values instanceof type) return array.values;
    const found = array && `${array.values.constructor.name} [${array.shape.join()}]`;
    throw invalid(name, `${type.name} [${shape.join()}]`, found ?? 'none');
  }
}

function invalid(where: string, wanted: string, found: string): TrialError {
  return new TrialError('CHECKPOINT_INVALID', {
    where,
    wanted,
    found,
    next: 'The checkpoint is of another search: go on with the config, skeleton and space that it was made for.',
  });
}
