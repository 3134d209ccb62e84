import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SleepOptions, Timers } from '../../src/foundation/timers.ts';

/** Somebody who waits. */
interface Sleeper {
  /** When it is over, in milliseconds of the test. */
  readonly at: number;
  readonly wake: () => void;
}

/** Time that passes when the test says so. */
export class ManualTimers implements Timers {
  readonly #sleepers = new Set<Sleeper>();
  readonly #events = new EventEmitter();
  #now = 0;

  sleep(ms: number, { signal }: SleepOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason as Error);
      });
      this.#events.emit('sleep');
    });
  }

  every(ms: number, work: () => void): () => void {
    const stopped = new AbortController();
    const next = async (): Promise<void> => {
      await this.sleep(ms, { signal: stopped.signal });
      work();
      await next();
    };
    next().catch(() => undefined);
    return () => {
      stopped.abort();
    };
  }

  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    void this.sleep(ms).then(() => {
      controller.abort();
    });
    return controller.signal;
  }

  /** How many wait. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Waits until somebody waits. */
  async untilSleeping(): Promise<void> {
    if (this.#sleepers.size === 0) await once(this.#events, 'sleep');
  }

  /** Lets time pass, and whoever has waited for it go on. */
  async pass(ms: number): Promise<void> {
    this.#now += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.#now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await nextTurn();
  }
}
