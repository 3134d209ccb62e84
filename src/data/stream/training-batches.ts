import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type WorkerOptions,
} from 'node:worker_threads';
import type { Batch } from './batch.ts';
import type { TrainingPlan } from './training-plan.ts';
import type { MadeBatch, TrainingWorkerData } from './training-worker.ts';

/** Batches that are prepared ahead. */
const AHEAD = 3;

/** The endless stream of augmented training images; batch `step` is a pure function of (seed, step). */
export interface TrainingBatches {
  /**
   * The batch of a step, in any order; consecutive steps are ready soonest.
   * Its buffers belong to the caller.
   *
   * @param step - Counts from 0 over the whole run.
   */
  next(step: number): Promise<Batch>;
  /** Milliseconds that callers of `next` have waited so far. */
  readonly waitedMs: number;
}

/** Training batches that a thread prepares ahead. */
export interface TrainingStream extends TrainingBatches {
  /** Ends the thread; pending calls reject. */
  close(): Promise<void>;
}

/** A plan, and a clock for measuring waits. */
export interface TrainingOptions extends TrainingPlan {
  /** Monotonic time in milliseconds. */
  readonly clock: () => number;
}

/** A batch that the thread is preparing. */
interface Order {
  readonly batch: Promise<Batch>;
  readonly resolve: (batch: Batch) => void;
  readonly reject: (reason: Error) => void;
}

function createOrder(): Order {
  let settle: Omit<Order, 'batch'> | undefined;
  const batch = new Promise<Batch>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // A batch that nobody awaits may fail unseen.
  batch.catch(() => undefined);
  return { batch, resolve: (made) => settle?.resolve(made), reject: (why) => settle?.reject(why) };
}

/**
 * Starts the built thread, or its source where this file itself runs from source: there the loader
 * of the tests has to be started in the thread first, since Node's threads do not inherit it.
 */
function startThread(options: WorkerOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./training-worker.js', import.meta.url), options);
  }
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const source = JSON.stringify(new URL('./training-worker.ts', import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => (register(), import(${source})))`;
  return new Worker(code, { ...options, eval: true });
}

/** Owns the thread and the batches under way. */
class BatchThread implements TrainingStream {
  readonly #orders = new Map<number, Order>();
  readonly #port;
  readonly #worker: Worker;
  readonly #clock: () => number;
  #failure: Error | null = null;
  #waitedMs = 0;
  #waiting = 0;

  constructor({ clock, ...plan }: TrainingOptions) {
    const { port1, port2 } = new MessageChannel();
    const workerData: TrainingWorkerData = { plan, port: port2 };
    this.#clock = clock;
    this.#port = port1;
    this.#worker = startThread({ workerData, transferList: [port2] });
    this.#port.on('message', (made: MadeBatch) => {
      this.#deliver(made);
    });
    this.#worker.on('error', (error) => {
      this.#fail(error);
    });
    this.#worker.on('exit', (code) => {
      this.#fail(new Error(`the thread that makes training batches ended with code ${code}`));
    });
    this.#hold(0);
  }

  get waitedMs(): number {
    return this.#waitedMs;
  }

  async next(step: number): Promise<Batch> {
    if (this.#failure) {
      throw this.#failure;
    }
    const started = this.#clock();
    this.#orderFrom(step);
    this.#receive();
    const order = this.#orders.get(step) ?? this.#order(step);
    this.#hold(1);
    try {
      return await order.batch;
    } finally {
      this.#orders.delete(step);
      this.#hold(-1);
      this.#waitedMs += this.#clock() - started;
    }
  }

  async close(): Promise<void> {
    this.#fail(new Error('the training stream is closed'));
    // Never unref: the process must live until the thread has ended.
    this.#hold(1);
    this.#port.close();
    await this.#worker.terminate();
  }

  #order(step: number): Order {
    const order = createOrder();
    this.#orders.set(step, order);
    this.#port.postMessage(step);
    return order;
  }

  /** Requests a step and those after it; drops batches that a jump made useless. */
  #orderFrom(step: number): void {
    if (this.#waiting === 0) {
      for (const ordered of this.#orders.keys()) {
        if (ordered < step || ordered > step + AHEAD) {
          this.#orders.delete(ordered);
        }
      }
    }
    for (let ordered = step; ordered <= step + AHEAD; ordered++) {
      if (!this.#orders.has(ordered)) {
        this.#order(ordered);
      }
    }
  }

  /** Receives pending answers without a turn of the event loop. */
  #receive(): void {
    for (let got = receiveMessageOnPort(this.#port); got; got = receiveMessageOnPort(this.#port)) {
      this.#deliver(got.message as MadeBatch);
    }
  }

  #deliver({ step, batch }: MadeBatch): void {
    this.#orders.get(step)?.resolve(batch);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const order of this.#orders.values()) {
      order.reject(this.#failure);
    }
  }

  /** Keeps the process alive only while a call is pending. */
  #hold(change: 1 | 0 | -1): void {
    this.#waiting += change;
    if (this.#waiting > 0) {
      this.#port.ref();
      this.#worker.ref();
    } else {
      this.#port.unref();
      this.#worker.unref();
    }
  }
}

/**
 * Starts the thread that augments and normalises training batches a few steps ahead.
 *
 * Each batch has its own buffers, which belong to the caller. An idle stream does not keep the process
 * alive, but call `close`.
 */
export function createTrainingBatches(options: TrainingOptions): TrainingStream {
  return new BatchThread(options);
}
