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

/** The patience of a trial. */
export const PATIENCE: OutboxPatience = {
  retryDelaysMs: [500, 1000, 2000, 4000, 8000],
  storedMs: 1500,
};

/** What an {@link Outbox} needs. */
export interface OutboxOptions {
  /** The output folder. */
  readonly folder: string;
  readonly channel: TrialChannel;
  /** Whose channel it is: NNI ends an experiment that is sent another trial's metric. */
  readonly trialJobId: string;
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

/**
 * Opens the outbox of a folder; what NNI does not have of an earlier process is sent now.
 *
 * @throws TrialError FILE_UNREADABLE, METRIC_INVALID when a file is none of ours.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const file = join(options.folder, METRICS_FILE);
  const recorded = (await readLines(file)).map((line) => parseMetric(line, file));
  return new Outbox(options, recorded, await readUndelivered(options.folder));
}

/** A folder's metrics, and the one thread of work that delivers them. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #patience: OutboxPatience;
  readonly #closing = new AbortController();
  readonly #recorded: Metric[];
  #queue: Undelivered[];
  /** What this process cannot deliver: in doubt where NNI cannot tell, or another trial's. */
  readonly #kept: Undelivered[];
  /** What NNI had when it was first asked; null until then. */
  #received: ReadonlySet<string> | null = null;
  #recordedOnDisk: number;
  #writing: Promise<void> = Promise.resolve();
  #delivery: Promise<void>;
  #isOver = false;

  constructor(
    options: OutboxOptions,
    recorded: readonly Metric[],
    undelivered: readonly Undelivered[],
  ) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    this.#queue = undelivered.filter(({ metric }) => this.#isOwn(metric));
    this.#kept = undelivered.filter(({ metric }) => !this.#isOwn(metric));
    // A process that was killed between the two files has left the metric in the queue alone.
    const known = new Set(recorded.map(metricKey));
    const missing = undelivered.filter(({ metric }) => !known.has(metricKey(metric)));
    this.#recorded = [...recorded, ...missing.map(({ metric }) => metric)];
    this.#recordedOnDisk = recorded.length;
    this.#delivery = this.#deliver();
  }

  /** Records a metric and queues it; does nothing when it was recorded before. */
  async post(metric: Metric): Promise<void> {
    const key = metricKey(metric);
    if (this.#recorded.some((other) => metricKey(other) === key)) return;
    this.#recorded.push(metric);
    if (this.#received?.has(key) !== true) this.#queue.push({ metric, inDoubt: false });
    await this.#save();
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

  /** Keeps metrics that turned out not to have arrived, to be sent by a later process. */
  async restore(items: readonly Undelivered[]): Promise<void> {
    this.#kept.push(...items);
    await this.#save();
  }

  /** Ends the delivery and closes the channel; what is left stays on the disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#options.channel.close();
    await this.#delivery;
  }

  /** Compares with what NNI has, then sends the queue, in order, one at a time. */
  async #deliver(): Promise<void> {
    for (let failures = 0; !this.#isOver && !this.#closing.signal.aborted;) {
      const [first] = this.#queue;
      if (this.#received !== null && first === undefined) return;
      try {
        await this.#advance(first);
        failures = 0;
      } catch (error) {
        this.#isOver = error instanceof TrialError && error.code === 'CHANNEL_CLOSED';
        if (failures === 0) this.#warn(`metrics wait: ${messageOf(error)}`);
        await this.#pause(failures++);
      }
    }
  }

  async #advance(first: Undelivered | undefined): Promise<void> {
    if (this.#received === null || first === undefined) await this.#compare();
    else if (first.inDoubt) await this.#settle(first);
    else await this.#send(first);
    await this.#save();
  }

  /**
   * Queues all that NNI does not have, also what it answered for and lost when it was stopped, and
   * nothing that it has: a trial that lost its files may not repeat what it sent.
   */
  async #compare(): Promise<void> {
    const received = await this.#options.channel.receivedMetrics(this.#recorded.map(metricKey));
    this.#received = received ?? new Set();
    if (received === null) return;
    const waiting = new Map(this.#queue.map((item) => [metricKey(item.metric), item]));
    this.#queue = this.#recorded
      .filter((metric) => this.#isOwn(metric) && !received.has(metricKey(metric)))
      .map((metric) => waiting.get(metricKey(metric)) ?? { metric, inDoubt: true });
  }

  /** Sends the first of the queue. */
  async #send({ metric }: Undelivered): Promise<void> {
    this.#queue[0] = { metric, inDoubt: true };
    await this.#save();
    try {
      await this.#options.channel.sendMetric(metric);
      this.#queue.shift();
    } catch (error) {
      const item = { metric, inDoubt: mayHaveArrived(error) };
      this.#queue[0] = item;
      const isHopeless = error instanceof TrialError && error.code === 'METRIC_INVALID';
      if (isHopeless) this.#keepFirst(item);
      await this.#save();
      throw error;
    }
  }

  /** Asks what became of the first of the queue. */
  async #settle(item: Undelivered): Promise<void> {
    const key = metricKey(item.metric);
    await this.#wait(this.#patience.storedMs);
    const received = await this.#options.channel.receivedMetrics([key]);
    if (received === null) {
      this.#keepFirst(item);
      this.#warn(`${key} may have been lost: it is not sent again, since it may have arrived`);
    } else if (received.has(key)) this.#queue.shift();
    else this.#queue[0] = { ...item, inDoubt: false };
  }

  #keepFirst(item: Undelivered): void {
    this.#queue.shift();
    this.#kept.push(item);
  }

  #isOwn({ trial_job_id: id }: Metric): boolean {
    return id === this.#options.trialJobId;
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
    return [...this.#kept, ...this.#queue];
  }

  /** The queue first: what is recorded is not posted again, hence must never be lost. */
  async #write(): Promise<void> {
    const file = join(this.#options.folder, UNDELIVERED_FILE);
    const items = this.#undelivered();
    const count = this.#recorded.length;
    if (items.length > 0) await writeAtomically(file, linesOf(items));
    if (count > this.#recordedOnDisk) {
      await writeAtomically(join(this.#options.folder, METRICS_FILE), linesOf(this.#recorded));
      this.#recordedOnDisk = count;
    }
    if (items.length === 0) await unlessUnwritable(file, () => rm(file, { force: true }));
  }

  /** One writer at a time; a full disk does not stop the delivery of what is in memory. */
  async #save(): Promise<void> {
    this.#writing = this.#writing
      .then(() => this.#write())
      .catch((error: unknown) => {
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

/** Values of a file of JSON lines, without a torn last one; none where there is no file. */
async function readLines(file: string): Promise<unknown[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(file, error);
  }
  try {
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as unknown);
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
