/** How to wait. */
export interface SleepOptions {
  /** Ends the waiting early: it rejects with an AbortError. */
  readonly signal?: AbortSignal;
  /** Whether waiting keeps the process alive; default true. */
  readonly ref?: boolean;
}

/** Timers, a parameter so that tests control time. */
export interface Timers {
  /** Resolves after some milliseconds. */
  sleep(ms: number, options?: SleepOptions): Promise<void>;
  /** Calls periodically; returns a function that stops it. */
  every(ms: number, work: () => void): () => void;
  /** Fires after some milliseconds; keeps no process alive. */
  timeout(ms: number): AbortSignal;
}
