/**
 * Metrics on their way to NNI. What is posted is on the disk first and then delivered in order, in
 * the background, for as long as it takes: a fault of the channel stops no training. No metric is
 * posted twice, sent twice or lost, whenever the process is killed, where NNI tells what it has.
 */

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Metric } from '../generated/nni-message.ts';
import { unlessUnwritable, writeAtomically } from './atomic.ts';
import { mayHaveArrived, metricKey, type TrialChannel } from './channel/channel.ts';
import { parseMetric } from './metric.ts';

/** Every metric of a run, one a line, in order; within the output folder. */
export const METRICS_FILE = 'metrics.jsonl';

/** What NNI does not have yet, in order; there is no such file when it has everything. */
export const UNDELIVERED_FILE = 'undelivered-metrics.jsonl';

/** How patient the outbox is, in milliseconds. */
export interface OutboxPatience {
  /** Pauses between two tries; the last one is repeated. */
  readonly retryDelaysMs: readonly number[];
  /** Until the manager has stored what it took, before it is asked. */
  readonly storedMs: number;
}

const PATIENCE: OutboxPatience = {
  retryDelaysMs: [500, 1000, 2000, 4000, 8000],
  storedMs: 1500,
};

/** What an {@link Outbox} needs. */
export interface OutboxOptions {
  /** The output folder. */
  readonly folder: string;
  readonly channel: TrialChannel;
  readonly logger: Logger;
  readonly patience?: OutboxPatience | undefined;
}

/** A metric that NNI does not have yet, as far as is known. */
export interface Undelivered {
  readonly metric: Metric;
  /** Whether it may have arrived: its sending was begun and its end was not seen. */
  readonly inDoubt: boolean;
}

/**
 * What a folder holds for NNI.
 *
 * @throws TrialError METRIC_INVALID when the file is none of ours.
 */
export async function readUndelivered(folder: string): Promise<Undelivered[]> {
  const file = join(folder, UNDELIVERED_FILE);
  return (await readLines(file)).map((line) => {
    const { metric, inDoubt } = Object(line) as Record<string, unknown>;
    return { metric: parseMetric(metric, file), inDoubt: inDoubt === true };
  });
}

/** Opens the outbox of a folder; what an earlier process could not deliver is sent now. */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { folder, channel } = options;
  const file = join(folder, METRICS_FILE);
  const recorded = (await readLines(file)).map((line) => parseMetric(line, file));
  const queue = await readUndelivered(folder);
  // A trial that lost its files may not repeat what NNI has of it.
  const asked = queue.map(({ metric }) => metricKey(metric));
  const received = await channel.receivedMetrics(asked).catch(() => null);
  return new Outbox(options, { recorded, queue, received: received ?? new Set() });
}

interface Contents {
  readonly recorded: readonly Metric[];
  readonly queue: readonly Undelivered[];
  readonly received: ReadonlySet<string>;
}

/** A folder's metrics, and the one thread of work that delivers them. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #patience: OutboxPatience;
  readonly #closing = new AbortController();
  readonly #received: ReadonlySet<string>;
  readonly #recorded: Metric[];
  readonly #queue: Undelivered[];
  /** Metrics that may have arrived, on a channel that cannot tell: never sent again. */
  readonly #lost: Undelivered[] = [];
  #writing: Promise<void> = Promise.resolve();
  #delivery: Promise<void>;
  #isOver = false;

  constructor(options: OutboxOptions, { recorded, queue, received }: Contents) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    this.#received = received;
    this.#queue = queue.filter(({ metric }) => !received.has(metricKey(metric)));
    const known = new Set(recorded.map(metricKey));
    const missing = queue.map(({ metric }) => metric).filter((m) => !known.has(metricKey(m)));
    this.#recorded = [...recorded, ...missing];
    this.#delivery = this.#deliver();
  }

  /** Records a metric and queues it; does nothing when it was recorded before. */
  async post(metric: Metric): Promise<void> {
    const key = metricKey(metric);
    if (this.#recorded.some((other) => metricKey(other) === key)) return;
    this.#recorded.push(metric);
    if (!this.#received.has(key)) this.#queue.push({ metric, inDoubt: false });
    await this.#write(() => this.#writeQueue());
    await this.#write(() => this.#writeRecord());
    this.#delivery = this.#delivery.then(() => this.#deliver());
  }

  /**
   * Waits until NNI has everything, at most `limitMs`.
   *
   * @returns The number of metrics that it does not have, as far as is known.
   */
  async flush(limitMs: number): Promise<number> {
    const limit = new AbortController();
    const late = sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([this.#delivery, late]);
    limit.abort();
    return this.#undelivered().length;
  }

  /** Puts metrics that turned out not to have arrived back onto the disk, to be sent some day. */
  async restore(items: readonly Undelivered[]): Promise<void> {
    this.#lost.push(...items.map(({ metric }) => ({ metric, inDoubt: false })));
    await this.#write(() => this.#writeQueue());
  }

  /** Ends the delivery; what is left stays on the disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  /** Sends the queue, in order, one at a time. */
  async #deliver(): Promise<void> {
    for (let tries = 0; !this.#isOver && !this.#closing.signal.aborted;) {
      const [first] = this.#queue;
      if (first === undefined) return;
      const isDone = first.inDoubt ? await this.#settle(first) : await this.#send(first);
      if (isDone) tries = 0;
      else await this.#pause(tries++);
    }
  }

  /** Sends the first of the queue; tells whether it is settled. */
  async #send({ metric }: Undelivered): Promise<boolean> {
    this.#replaceFirst({ metric, inDoubt: true });
    await this.#write(() => this.#writeQueue());
    try {
      await this.#options.channel.sendMetric(metric);
      this.#queue.shift();
      return true;
    } catch (error) {
      const code = error instanceof TrialError ? error.code : null;
      this.#isOver = code === 'CHANNEL_CLOSED';
      this.#warn(`${metricKey(metric)} was not sent: ${messageOf(error)}`);
      this.#replaceFirst({ metric, inDoubt: mayHaveArrived(error) });
      if (code === 'METRIC_INVALID') this.#lost.push(...this.#queue.splice(0, 1));
      return false;
    } finally {
      await this.#write(() => this.#writeQueue());
    }
  }

  /** Asks what became of the first of the queue; tells whether that is settled. */
  async #settle(item: Undelivered): Promise<boolean> {
    const { channel } = this.#options;
    const key = metricKey(item.metric);
    try {
      await this.#wait(this.#patience.storedMs);
      const received = await channel.receivedMetrics([key]);
      if (received === null) {
        this.#lost.push(item);
        this.#warn(`${key} may have been lost: it is not sent again, since it may have arrived`);
      }
      if (received === null || received.has(key)) this.#queue.shift();
      else this.#replaceFirst({ ...item, inDoubt: false });
      await this.#write(() => this.#writeQueue());
      return true;
    } catch (error) {
      this.#warn(`${key}: ${messageOf(error)}`);
      return false;
    }
  }

  #replaceFirst(item: Undelivered): void {
    this.#queue.splice(0, 1, item);
  }

  async #pause(tries: number): Promise<void> {
    const { retryDelaysMs: delays } = this.#patience;
    await this.#wait(delays[Math.min(tries, delays.length - 1)] ?? 0);
  }

  /** Waits, at most until the outbox is closed, and keeps no process alive for it. */
  async #wait(ms: number): Promise<void> {
    const { signal } = this.#closing;
    await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
  }

  #undelivered(): Undelivered[] {
    return [...this.#lost, ...this.#queue];
  }

  async #writeQueue(): Promise<void> {
    const file = join(this.#options.folder, UNDELIVERED_FILE);
    const items = this.#undelivered();
    if (items.length > 0) await writeAtomically(file, linesOf(items));
    else await unlessUnwritable(file, () => rm(file, { force: true }));
  }

  async #writeRecord(): Promise<void> {
    await writeAtomically(join(this.#options.folder, METRICS_FILE), linesOf(this.#recorded));
  }

  /** One file at a time; a full disk does not stop the delivery of what is in memory. */
  async #write(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work).catch((error: unknown) => {
      this.#warn(`metrics are kept in memory only: ${messageOf(error)}`);
    });
    await this.#writing;
  }

  #warn(message: string): void {
    if (!this.#closing.signal.aborted) this.#options.logger.log('warning', message);
  }
}

function linesOf(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** Values of a file of JSON lines; none where there is no file. */
async function readLines(file: string): Promise<unknown[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(file, error);
  }
  try {
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): TrialError {
  const complaint = {
    where: file,
    wanted: 'the metrics of this search, one a line in JSON',
    found: messageOf(error),
    next: 'Restore the file, or start again with --overwrite.',
  };
  return new TrialError('FILE_UNREADABLE', complaint, error);
}
