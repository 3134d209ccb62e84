import { messageOf } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { SIGNAL_TIMES } from '../../foundation/signals.ts';
import type { Timers } from '../../foundation/timers.ts';

/** The part of node's `process` that the handlers need. */
export type SignalTarget = Pick<NodeJS.Process, 'pid' | 'ppid' | 'kill' | 'on' | 'off'>;

const ENDS = ['SIGINT', 'SIGTERM'] as const;

/** How a process ends by a signal. */
export interface ShutdownOptions {
  /** Told about the signal and about work that failed. */
  readonly logger: Logger;
  readonly timers: Timers;
  /**
   * Whether the process ends with its terminal. `nohup` leaves it without one; the `ignore` for
   * SIGHUP that it also leaves is undone by Node when it starts.
   */
  readonly hasTerminal: boolean;
  /** Time for all work; a little less than the whole end may take, if it is left out. */
  readonly limitMs?: number;
}

/** How the rest of the program takes part in its end by a signal. */
export interface Shutdown {
  /** Fires at the first signal. */
  readonly signal: AbortSignal;
  /** Adds work to be done before the process ends. All of it starts at once, within one limit. */
  onShutdown(cleanup: () => Promise<void>): void;
  /** Ends the process as that signal from outside does; does nothing when it is ending already. */
  request(name: NodeJS.Signals, reason: string): void;
  /** Leaves signals to their default action, which ends the process at once; SIGHUP stays unheard. */
  leaveSignals(): void;
  /** Removes the handlers; for a program that ends by itself. */
  dispose(): void;
}

/**
 * Makes SIGINT and SIGTERM, and SIGHUP of a terminal, clean up, then end the process by that very
 * signal: NNI takes an exit code for success or failure, and only an end by signal for a cancelled
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
