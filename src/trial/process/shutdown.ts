import { messageOf } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { SIGNAL_TIMES } from '../../foundation/signals.ts';
import type { Timers } from '../../foundation/timers.ts';

/** The part of node's `process` that the handlers need. */
export type SignalTarget = Pick<NodeJS.Process, 'pid' | 'ppid' | 'kill' | 'on' | 'off'>;

const ENDS = ['SIGINT', 'SIGTERM'] as const;

/** How a process ends by a signal. */
export interface ShutdownOptions {
  /** Logs the signal and failed work. */
  readonly logger: Logger;
  readonly timers: Timers;
  /**
   * Whether the process ends with its terminal. `nohup` detaches it; Node resets the ignored SIGHUP
   * when it starts.
   */
  readonly hasTerminal: boolean;
  /** Time limit of all work; by default a little less than that of the whole end. */
  readonly limitMs?: number;
}

/** How other parts take part in an end by a signal. */
export interface Shutdown {
  /** Fires at the first signal. */
  readonly signal: AbortSignal;
  /** Adds work for the end of the process. All of it runs concurrently, within one limit. */
  onShutdown(cleanup: () => Promise<void>): void;
  /** Ends the process as that signal would; does nothing if it is already ending. */
  request(name: NodeJS.Signals, reason: string): void;
  /** Restores the signals' default action, which ends the process at once; SIGHUP stays ignored. */
  leaveSignals(): void;
  /** Removes the handlers; for a program that ends by itself. */
  dispose(): void;
}

/**
 * Makes SIGINT and SIGTERM, and SIGHUP of a terminal, clean up, then end the process by the same
 * signal: NNI takes any exit code for success or failure, and only an end by signal for a cancelled
 * trial. A second signal ends it at once, unless it is a copy of the first.
 *
 * @param target - `process`.
 */
export function installSignalHandlers(
  target: SignalTarget,
  { logger, timers, hasTerminal, limitMs = SIGNAL_TIMES.limitMs - 200 }: ShutdownOptions,
): Shutdown {
  const controller = new AbortController();
  const cleanups: (() => Promise<void>)[] = [];

  const leaveSignals = (): void => {
    for (const name of names) target.off(name, handle);
  };
  const dispose = (): void => {
    leaveSignals();
    target.off('SIGHUP', outlive);
  };
  const endBy = (name: NodeJS.Signals): void => {
    dispose();
    target.kill(target.pid, name);
  };
  const request = (name: NodeJS.Signals, reason: string): void => {
    if (controller.signal.aborted) return;
    logger.log('warning', `${reason}: cleaning up`);
    controller.abort();
    void Promise.race([runAll(cleanups, logger), timers.sleep(limitMs)]).then(() => {
      endBy(name);
    });
  };
  let copied: NodeJS.Signals | null = null;
  const handle = (name: NodeJS.Signals): void => {
    if (name === copied) return;
    if (controller.signal.aborted) endBy(name);
    copied = name;
    void timers.sleep(SIGNAL_TIMES.copyMs, { ref: false }).then(() => (copied = null));
    request(name, name);
  };
  const outlive = (name: NodeJS.Signals): void => {
    logger.log('warning', `${name}: going on without the terminal`);
  };

  const names = hasTerminal ? ([...ENDS, 'SIGHUP'] as const) : ENDS;
  for (const name of names) target.on(name, handle);
  if (!hasTerminal) target.on('SIGHUP', outlive);
  return {
    signal: controller.signal,
    onShutdown: (cleanup) => {
      cleanups.push(cleanup);
    },
    request,
    leaveSignals,
    dispose,
  };
}

async function runAll(works: readonly (() => Promise<void>)[], logger: Logger): Promise<void> {
  const ends = works.map((work) =>
    work().catch((error: unknown) => {
      logger.log('error', `clean-up failed: ${messageOf(error)}`);
    }),
  );
  await Promise.all(ends);
}
