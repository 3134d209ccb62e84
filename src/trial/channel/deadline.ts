import type { Timers } from '../../foundation/timers.ts';

/** More turns of the event loop than a request with its retries takes. */
const PARTS = 20;

/** A limit on the time of a dialogue. */
export interface Deadline {
  /** Fires when the time is over. */
  readonly signal: AbortSignal;
  /** Stops the timer: the signal does not fire afterwards. */
  readonly stop: () => void;
}

/**
 * Starts a time limit that passes only while the event loop runs. Training blocks the loop for one
 * step at a time, with one turn between two steps. Each turn counts at most a twentieth of the limit,
 * so that an answer is read before the limit ends. The peer has its own limit: a minute for NNI's
 * manager.
 */
export function startDeadline(limitMs: number, timers: Timers): Deadline {
  const controller = new AbortController();
  let parts = 0;
  const stop = timers.every(limitMs / PARTS, () => {
    parts++;
    if (parts === PARTS) controller.abort();
  });
  return { signal: controller.signal, stop };
}
