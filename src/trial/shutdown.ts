import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The part of node's `process` that the handlers need. */
export type SignalTarget = Pick<NodeJS.Process, 'pid' | 'kill' | 'on' | 'off'>;

/** How the rest of the program takes part in its end by a signal. */
export interface Shutdown {
  /** Fires at the first signal. */
  readonly signal: AbortSignal;
  /** Adds work to be done before the process ends. All of it starts at once, within one limit. */
  onShutdown(cleanup: () => Promise<void>): void;
  /** Removes the handlers; for a program that ends by itself. */
  dispose(): void;
}

/**
 * Makes SIGINT and SIGTERM clean up, then end the process by that very signal: NNI takes an exit
 * code for success or failure, and only an end by signal for a cancelled trial. A second signal
 * ends it at once.
 *
 * @param target - `process`.
 * @param logger - Told about the signal and about work that failed.
 * @param limitMs - Time for all work; NNI kills the process 5 s after the signal.
 */
export function installSignalHandlers(
  target: SignalTarget,
  logger: Logger,
  limitMs = 3000,
): Shutdown {
  const controller = new AbortController();
  const cleanups: (() => Promise<void>)[] = [];

  const dispose = (): void => {
    for (const name of SIGNALS) target.off(name, handle);
  };
  const endBy = (name: NodeJS.Signals): void => {
    dispose();
    target.kill(target.pid, name);
  };
  const cleanUp = async (name: NodeJS.Signals): Promise<void> => {
    logger.log('warning', `${name}: cleaning up`);
    controller.abort();
    const failures = cleanups.map((cleanup) =>
      cleanup().catch((error: unknown) => {
        logger.log('error', `clean-up failed: ${messageOf(error)}`);
      }),
    );
    await Promise.race([Promise.all(failures), sleep(limitMs)]);
    endBy(name);
  };
  const handle = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) endBy(name);
    else void cleanUp(name);
  };

  for (const name of SIGNALS) target.on(name, handle);
  return {
    signal: controller.signal,
    onShutdown: (cleanup) => {
      cleanups.push(cleanup);
    },
    dispose,
  };
}
