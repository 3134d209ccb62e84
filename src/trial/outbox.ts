/**
 * Delivers the history of a run to NNI. A posted metric is first on the disk, then delivered in order,
 * in the background, without a time limit: a fault of the channel stops no training. If NNI tells what
 * it has, no metric is recorded twice, sent twice or lost, whenever the process is killed.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessUnwritable, writeAtomically } from '../foundation/atomic-file.ts';
import { messageOf, TrialError } from '../foundation/errors.ts';
import { readJsonLines } from '../foundation/json-lines.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Timers } from '../foundation/timers.ts';
import { STANDALONE } from '../foundation/trial-identity.ts';
import type { Metric } from '../generated/nni-message.ts';
import { type History, type HistoryEntry, UNDELIVERED_FILE } from '../run-folder/history.ts';
import { mayHaveArrived, metricKey, type TrialChannel } from './channel/channel.ts';
import { fromWire, parseMetric, toWire } from './metric.ts';

/** Pauses, milliseconds. */
export interface OutboxPatience {
  /** Between two attempts; the last one is repeated. */
  readonly retryDelaysMs: readonly number[];
  /** Before each further question, while the manager stores what it received. */
  readonly storedDelaysMs: readonly number[];
}

/** The pauses of a trial. */
export const PATIENCE: OutboxPatience = {
  retryDelaysMs: [500, 1000, 2000, 4000, 8000],
  storedDelaysMs: [1500, 3000, 6000],
};

/** Limit for the end on a delivery that may never end, such as a write without a reader. */
const CLOSE_LIMIT_MS = 1000;

/** The owner of metrics. */
export interface MetricSource {
  /** Number of the parameter record that the trial used; null where it has none. */
  readonly parameterId: number | null;
  /** The channel's trial too: NNI ends an experiment that receives another trial's metric. */
  readonly trialJobId: string;
}

/** What an {@link Outbox} needs. */
export interface OutboxOptions extends MetricSource {
  /** Delivered; metrics that an earlier process queued but did not record are added to it. */
  readonly history: History;
  readonly channel: TrialChannel;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly now: () => Date;
  readonly patience?: OutboxPatience | undefined;
}

/** A metric that NNI does not have, as far as known. */
export interface Undelivered {
  readonly metric: Metric;
  /** Whether it may have arrived: its sending started, and the outcome is unknown. */
  readonly inDoubt: boolean;
}

/**
 * The undelivered metrics of a folder.
 *
 * @throws TrialError FILE_UNREADABLE, METRIC_INVALID when the file is none of ours.
 */
export async function readUndelivered(folder: string): Promise<Undelivered[]> {
  const file = join(folder, UNDELIVERED_FILE);
  const next = 'Restore the file, or start again with --overwrite.';
  const lines = await readJsonLines(file, { noun: 'the metrics that NNI lacks', next });
  return lines.map((line) => {
    const { metric, inDoubt } = Object(line) as Record<string, unknown>;
    return { metric: parseMetric(metric, file), inDoubt: inDoubt === true };
  });
}

/**
 * Opens the outbox of a history and starts to deliver what earlier processes left.
 *
 * @throws TrialError FILE_UNREADABLE, METRIC_INVALID when a file is none of ours.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const { history, trialJobId } = options;
  const undelivered = await readUndelivered(history.folder);
  completeHistory(options, undelivered);
  const waiting = trialJobId === STANDALONE ? undelivered : adoptReports(options, undelivered);
  const outbox = new Outbox(options, waiting);
  outbox.start();
  return outbox;
}

/** Adds to the history what a process queued before it was killed. */
function completeHistory(
  { history, now, trialJobId }: OutboxOptions,
  undelivered: readonly Undelivered[],
): void {
  const nameOf = (metric: Metric): string => {
    const { trial_job_id: id } = metric;
    return `${id === STANDALONE ? trialJobId : id} ${metricKey(metric)}`;
  };
  const known = new Set(history.entries.map((entry) => nameOf(toWire(entry))));
  for (const { metric } of undelivered) {
    if (known.has(nameOf(metric))) continue;
    const told = { time: now().toISOString(), lastEpoch: history.lastEpoch };
    history.add(fromWire(metric, told));
  }
}

/**
 * Makes the reports of a search that went on without NNI the trial's own. NNI lacks them.
 *
 * @returns All that NNI lacks.
 */
function adoptReports(
  { history, trialJobId, parameterId }: OutboxOptions,
  undelivered: readonly Undelivered[],
): Undelivered[] {
  const isAlone = (entry: HistoryEntry): boolean => entry.trialJobId === STANDALONE;
  const waiting = undelivered.filter(({ metric }) => metric.trial_job_id !== STANDALONE);
  if (!history.entries.some(isAlone)) return waiting;
  const adopt = (entry: HistoryEntry): HistoryEntry => ({ ...entry, trialJobId, parameterId });
  const queued = new Set(waiting.map(({ metric }) => metricKey(metric)));
  const adopted = history.entries
    .filter(isAlone)
    .map((entry) => ({ metric: toWire(adopt(entry)), inDoubt: false }))
    .filter(({ metric }) => !queued.has(metricKey(metric)));
  history.replace(history.entries.map((entry) => (isAlone(entry) ? adopt(entry) : entry)));
  return [...waiting, ...adopted];
}

/** The undelivered part of a history, and its delivery. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #patience: OutboxPatience;
  readonly #closing = new AbortController();
  /** Keys of the posted metrics. */
  readonly #keys: Set<string>;
  #queue: Undelivered[];
  /** Not deliverable by this process: in doubt while NNI cannot tell, or another trial's. */
  readonly #kept: Undelivered[];
  /** Keys that NNI had at the first question; null before. */
  #received: ReadonlySet<string> | null = null;
  #writing: Promise<void> = Promise.resolve();
  #delivery: Promise<void> = Promise.resolve();
  #isOver = false;
  #isClosed = false;

  /** @param undelivered - What NNI lacks of the history. */
  constructor(options: OutboxOptions, undelivered: readonly Undelivered[]) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    this.#queue = undelivered.filter(({ metric }) => this.#isOwn(metric));
    this.#kept = undelivered.filter(({ metric }) => !this.#isOwn(metric));
    // Without NNI a search adds to a trial's reports; a trial never adopts those of another trial.
    const isReported = (metric: Metric): boolean =>
      options.trialJobId === STANDALONE || this.#isOwn(metric);
    this.#keys = new Set(this.#recorded().filter(isReported).map(metricKey));
  }

  /** Compares with NNI and sends what it lacks, after the pending work. */
  start(): void {
    this.#delivery = this.#delivery.then(() => this.#deliver());
  }

  /**
   * Records and queues a report; does nothing if it is already recorded.
   *
   * @throws TrialError METRIC_INVALID as {@link History.add}.
   */
  async post(entry: HistoryEntry): Promise<void> {
    const metric = toWire(entry);
    const key = metricKey(metric);
    if (this.#keys.has(key)) return;
    this.#options.history.add(entry);
    this.#keys.add(key);
    if (this.#received?.has(key) !== true) this.#queue.push({ metric, inDoubt: false });
    await this.#save();
    this.start();
  }

  /**
   * Waits until NNI has everything, at most `limitMs`.
   *
   * @returns The number of metrics that NNI lacks, as far as known.
   */
  async flush(limitMs: number): Promise<number> {
    await this.#awaitDelivery(limitMs);
    return this.#undelivered().length;
  }

  /**
   * Asks NNI what it has, and keeps what it lacks for a later process. If NNI does not answer, keeps
   * everything, in doubt.
   *
   * @returns The number of metrics that NNI lacks; 0 if it cannot tell.
   */
  async verify(): Promise<number> {
    const own = this.#recorded().filter((metric) => this.#isOwn(metric));
    const lost = await this.#ask(own.map(metricKey)).then(
      (received) =>
        own
          .filter((metric) => received?.has(metricKey(metric)) === false)
          .map((metric) => ({ metric, inDoubt: false })),
      () => own.map((metric) => ({ metric, inDoubt: true })),
    );
    this.#kept.push(...lost);
    await this.#save();
    return lost.length;
  }

  /** Ends the delivery and closes the channel; undelivered metrics stay on the disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#options.channel.close();
    await this.#awaitDelivery(CLOSE_LIMIT_MS);
    this.#isClosed = true;
    await this.#writing;
  }

  async #awaitDelivery(limitMs: number): Promise<void> {
    const limit = new AbortController();
    const { timers } = this.#options;
    const late = timers.sleep(limitMs, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([this.#delivery, late]);
    limit.abort();
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
    else if (first.inDoubt) await this.#settle();
    else await this.#send(first);
    await this.#save();
  }

  /**
   * Queues exactly what NNI lacks. It may have lost metrics that it acknowledged before it was stopped;
   * and a trial that lost its files must not repeat what it sent.
   */
  async #compare(): Promise<void> {
    const recorded = this.#recorded();
    const received = await this.#options.channel.receivedMetrics(recorded.map(metricKey));
    this.#received = received ?? new Set();
    if (received === null) return;
    const waiting = new Map(this.#queue.map((item) => [metricKey(item.metric), item]));
    this.#queue = this.#recorded()
      .filter((metric) => this.#isOwn(metric) && !received.has(metricKey(metric)))
      .map((metric) => waiting.get(metricKey(metric)) ?? { metric, inDoubt: true });
  }

  /** Sends the first metric of the queue. */
  async #send({ metric }: Undelivered): Promise<void> {
    this.#queue[0] = { metric, inDoubt: true };
    await this.#save();
    try {
      await this.#options.channel.sendMetric(metric);
      this.#queue.shift();
    } catch (error) {
      this.#queue[0] = { metric, inDoubt: mayHaveArrived(error) };
      const isHopeless = error instanceof TrialError && error.code === 'METRIC_INVALID';
      if (isHopeless) this.#kept.push(...this.#queue.splice(0, 1));
      await this.#save();
      throw error;
    }
  }

  /** Asks NNI about the metrics in doubt. */
  async #settle(): Promise<void> {
    const doubtful = this.#queue.filter(({ inDoubt }) => inDoubt);
    const keys = doubtful.map(({ metric }) => metricKey(metric));
    const received = await this.#ask(keys);
    if (received === null) {
      this.#queue = this.#queue.filter(({ inDoubt }) => !inDoubt);
      this.#kept.push(...doubtful);
      this.#warn(`not sent again, since NNI may have it: ${keys.join(', ')}`);
    } else {
      this.#queue = this.#queue
        .filter(({ metric }) => !received.has(metricKey(metric)))
        .map(({ metric }) => ({ metric, inDoubt: false }));
    }
  }

  /** Asks NNI what it has, repeatedly while it may still be storing one of these. */
  async #ask(keys: readonly string[]): Promise<ReadonlySet<string> | null> {
    const { channel, timers } = this.#options;
    const isAnswer = (received: ReadonlySet<string> | null): boolean =>
      received === null || keys.every((key) => received.has(key));
    let received = await channel.receivedMetrics(keys);
    for (const delayMs of this.#patience.storedDelaysMs) {
      if (isAnswer(received)) break;
      await timers.sleep(delayMs, { signal: this.#closing.signal });
      received = await channel.receivedMetrics(keys);
    }
    return received;
  }

  #isOwn({ trial_job_id: id }: Metric): boolean {
    return id === this.#options.trialJobId;
  }

  /** Waits, at most until the outbox is closed. Keeps no process alive. */
  async #pause(tries: number): Promise<void> {
    const { retryDelaysMs: delays } = this.#patience;
    const { signal } = this.#closing;
    const delayMs = delays[Math.min(tries, delays.length - 1)] as number;
    const { timers } = this.#options;
    await timers.sleep(delayMs, { signal, ref: false }).catch(() => undefined);
  }

  #recorded(): Metric[] {
    return this.#options.history.entries.map(toWire);
  }

  #undelivered(): Undelivered[] {
    return [...this.#kept, ...this.#queue];
  }

  /** Queue before history: a recorded metric is never posted again, so it must be in the queue. */
  async #write(): Promise<void> {
    // Another process may own the folder by now.
    if (this.#isClosed) return;
    const { history } = this.#options;
    const file = join(history.folder, UNDELIVERED_FILE);
    const items = this.#undelivered();
    if (items.length > 0) await writeAtomically(file, linesOf(items));
    await history.save();
    if (items.length === 0) await unlessUnwritable(file, () => rm(file, { force: true }));
  }

  /** One writer at a time. A full disk does not stop the delivery from memory. */
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
