/** How long a process that a signal ends may still take. */
export interface SignalTimes {
  /** From the signal to the end, milliseconds. */
  readonly limitMs: number;
  /** The same signal again within so many milliseconds is a copy and no second one. */
  readonly copyMs: number;
}

/**
 * NNI kills a process 5 s after the signal, of which a step that is being computed takes its part
 * too. A terminal sends an interrupt to its whole group, and npm passes its own on to the command:
 * that copy is no second signal.
 */
export const SIGNAL_TIMES: SignalTimes = { limitMs: 2500, copyMs: 300 };
