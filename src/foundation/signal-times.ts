/**
 * Ends the process by SIGINT or SIGTERM in time, whatever JavaScript, which hears nothing while an
 * operation computes, does meanwhile; by a second signal at once.
 */
export interface SignalTimes {
  /** From the signal to the end, milliseconds. */
  readonly limitMs: number;
  /** The same signal again within so many milliseconds is a copy and no second one. */
  readonly copyMs: number;
}

/**
 * What the end by a signal may take. A terminal sends an interrupt to its whole group, and npm passes
 * its own on to the command: that copy is no second signal.
 */
export const SIGNAL_TIMES: SignalTimes = { limitMs: 2500, copyMs: 300 };
