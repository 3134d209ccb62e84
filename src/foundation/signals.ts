/** Time limits after a signal. */
export interface SignalTimes {
  /** From the signal to the end, milliseconds. */
  readonly limitMs: number;
  /** The same signal again within so many milliseconds is a copy and no second one. */
  readonly copyMs: number;
}

/**
 * NNI kills a process 5 s after the signal, and a running step takes its part of that. A terminal
 * interrupts its whole process group, and npm forwards its own signal to the command: that copy is no
 * second signal.
 */
export const SIGNAL_TIMES: SignalTimes = { limitMs: 2500, copyMs: 300 };
