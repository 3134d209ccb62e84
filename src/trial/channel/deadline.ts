import type { Timers } from '../../foundation/timers.ts';

/** More than the turns of the event loop that a request and its repetitions take. */
const PARTS = 20;

/** A limit on the time of a dialogue. */
export interface Deadline {
  /** Fires when the time is over. */
  readonly signal: AbortSignal;
  /** Ends the measuring; the signal does not fire afterwards. */
  readonly stop: () => void;
}

/**
 * Starts a limit whose time passes only while the event loop runs. Training blocks the loop for a
 * step at a time and leaves one turn between two steps: each of them takes one of twenty parts of
 * the limit, so that an answer is read before the limit is over. The peer has limits of its own, a
 * minute for NNI's manager.
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
