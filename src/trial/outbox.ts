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
import { unlessUnwritable, writeAtomically } from '../foundation/atomic-file.ts';
import { mayHaveArrived, metricKey, type TrialChannel } from './channel/channel.ts';
import { STANDALONE } from './environment.ts';
import { parseMetric } from './metric.ts';

/** Every metric of a run, one a line, in order; within the output folder. */
export const METRICS_FILE = 'metrics.jsonl';

/** What NNI does not have yet, in order; there is no such file when it has everything. */
export const UNDELIVERED_FILE = 'undelivered-metrics.jsonl';

/** How patient the outbox is, in milliseconds. */
export interface OutboxPatience {
  /** Pauses between two tries; the last one is repeated. */
  readonly retryDelaysMs: readonly number[];
  /** Pauses in which the manager stores what it took, each before it is asked once more. */
  readonly storedDelaysMs: readonly number[];
}

/** The patience of a trial. */
export const PATIENCE: OutboxPatience = {
  retryDelaysMs: [500, 1000, 2000, 4000, 8000],
  storedDelaysMs: [1500, 3000, 6000],
};

/** How long the end waits for a delivery that nothing ends, such as a write that nobody reads. */
const CLOSE_LIMIT_MS = 1000;

/** Whose metrics they are. */
export interface MetricSource {
  /** Number of the parameter record that the trial used; null where it has none. */
  readonly parameterId: number | null;
  /** Whose channel it is too: NNI ends an experiment that is sent another trial's metric. */
  readonly trialJobId: string;
}

/** What an {@link Outbox} needs. */
export interface OutboxOptions extends MetricSource {
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

/**
 * Opens the outbox of a folder; what NNI does not have of an earlier process is sent now.
 *
 * @throws TrialError FILE_UNREADABLE, METRIC_INVALID when a file is none of ours.
 */
export async function openOutbox(options: OutboxOptions): Promise<Outbox> {
  const file = join(options.folder, METRICS_FILE);
  const recorded = (await readLines(file)).map((line) => parseMetric(line, file));
  const undelivered = await readUndelivered(options.folder);
  // A process that was killed between the two files has left the metric in the queue alone.
  const nameOf = (metric: Metric): string => {
    const { trial_job_id: id } = metric;
    return `${id === STANDALONE ? options.trialJobId : id} ${metricKey(metric)}`;
  };
  const known = new Set(recorded.map(nameOf));
  const missing = undelivered.filter(({ metric }) => !known.has(nameOf(metric)));
  const all = [...recorded, ...missing.map(({ metric }) => metric)];
  return options.trialJobId === STANDALONE
    ? new Outbox(options, all, undelivered)
    : outboxOfTrial(options, all, undelivered);
}

/** What the search reported while it went on without NNI is the trial's now, and NNI lacks it. */
function outboxOfTrial(
  options: OutboxOptions,
  recorded: readonly Metric[],
  undelivered: readonly Undelivered[],
): Outbox {
  const isAlone = ({ trial_job_id: id }: Metric): boolean => id === STANDALONE;
  const { trialJobId: trial_job_id, parameterId: parameter_id } = options;
  const adopt = (metric: Metric): Metric =>
    isAlone(metric) ? { ...metric, trial_job_id, parameter_id } : metric;
  const waiting = undelivered.filter(({ metric }) => !isAlone(metric));
  const queued = new Set(waiting.map(({ metric }) => metricKey(metric)));
  const adopted = recorded
    .filter((metric) => isAlone(metric) && !queued.has(metricKey(metric)))
    .map((metric) => ({ metric: adopt(metric), inDoubt: false }));
  return new Outbox(options, recorded.map(adopt), [...waiting, ...adopted]);
}

/** A folder's metrics, and the one thread of work that delivers them. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #patience: OutboxPatience;
  readonly #closing = new AbortController();
  readonly #recorded: Metric[];
  /** Of the metrics that are not posted again. */
  readonly #keys: Set<string>;
  #queue: Undelivered[];
  /** What this process cannot deliver: in doubt where NNI cannot tell, or another trial's. */
  readonly #kept: Undelivered[];
  /** What NNI had when it was first asked; null until then. */
  #received: ReadonlySet<string> | null = null;
  #recordedOnDisk = 0;
  #writing: Promise<void> = Promise.resolve();
  #delivery: Promise<void>;
  #isOver = false;
  #isClosed = false;

  /** @param recorded - The undelivered ones among them. */
  constructor(
    options: OutboxOptions,
    recorded: readonly Metric[],
    undelivered: readonly Undelivered[],
  ) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    this.#queue = undelivered.filter(({ metric }) => this.#isOwn(metric));
    this.#kept = undelivered.filter(({ metric }) => !this.#isOwn(metric));
    this.#recorded = [...recorded];
    // Without NNI the search goes on with a trial's reports; a trial makes none of another's its own.
    const isReported = (metric: Metric): boolean =>
      options.trialJobId === STANDALONE || this.#isOwn(metric);
    this.#keys = new Set(recorded.filter(isReported).map(metricKey));
    this.#delivery = this.#deliver();
  }

  /** Records a metric and queues it; does nothing when it was recorded before. */
  async post(metric: Metric): Promise<void> {
    const key = metricKey(metric);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
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
    await this.#awaitDelivery(limitMs);
    return this.#undelivered().length;
  }

  /**
   * Asks NNI for all that it has taken, and keeps what it does not have, to be sent by a later
   * process: all of it, in doubt, where NNI does not answer.
   *
   * @returns The number of metrics that it does not have; 0 where it cannot tell.
   */
  async verify(): Promise<number> {
    const own = this.#recorded.filter((metric) => this.#isOwn(metric));
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

  /** Ends the delivery and closes the channel; what is left stays on the disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#options.channel.close();
    await this.#awaitDelivery(CLOSE_LIMIT_MS);
    this.#isClosed = true;
    await this.#writing;
  }

  async #awaitDelivery(limitMs: number): Promise<void> {
    const limit = new AbortController();
    const late = sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined);
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
      this.#queue[0] = { metric, inDoubt: mayHaveArrived(error) };
      const isHopeless = error instanceof TrialError && error.code === 'METRIC_INVALID';
      if (isHopeless) this.#kept.push(...this.#queue.splice(0, 1));
      await this.#save();
      throw error;
    }
  }

  /** Asks what became of those whose sending was cut off. */
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

  /** Asks NNI what it has, again as long as it may still store one of these. */
  async #ask(keys: readonly string[]): Promise<ReadonlySet<string> | null> {
    const { channel } = this.#options;
    const isAnswer = (received: ReadonlySet<string> | null): boolean =>
      received === null || keys.every((key) => received.has(key));
    let received = await channel.receivedMetrics(keys);
    for (const delayMs of this.#patience.storedDelaysMs) {
      if (isAnswer(received)) break;
      await sleep(delayMs, undefined, { signal: this.#closing.signal });
      received = await channel.receivedMetrics(keys);
    }
    return received;
  }

  #isOwn({ trial_job_id: id }: Metric): boolean {
    return id === this.#options.trialJobId;
  }

  /** Waits, at most until the outbox is closed, and keeps no process alive for it. */
  async #pause(tries: number): Promise<void> {
    const { retryDelaysMs: delays } = this.#patience;
    const { signal } = this.#closing;
    const delayMs = delays[Math.min(tries, delays.length - 1)];
    await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
  }

  #undelivered(): Undelivered[] {
    return [...this.#kept, ...this.#queue];
  }

  /** The queue first: what is recorded is not posted again, hence must never be lost. */
  async #write(): Promise<void> {
    // The folder may be another process's by now.
    if (this.#isClosed) return;
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
