/** How to wait. */
export interface SleepOptions {
  /** Ends the waiting early: it rejects with an AbortError. */
  readonly signal?: AbortSignal;
  /** Whether the waiting keeps the process alive; it does, if left out. */
  readonly ref?: boolean;
}

/** Time that passes. A parameter, so that a test says when it does. */
export interface Timers {
  /** Resolves after so many milliseconds. */
  sleep(ms: number, options?: SleepOptions): Promise<void>;
  /** Calls again and again, so many milliseconds apart; gives the way to stop it. */
  every(ms: number, work: () => void): () => void;
  /** Fires after so many milliseconds; keeps no process alive. */
  timeout(ms: number): AbortSignal;
}
