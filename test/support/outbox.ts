/** What the tests of the outbox share. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { TrialChannel } from '../../src/trial/channel/channel.ts';
import { HttpChannel } from '../../src/trial/channel/http.ts';
import { metricDataUrl } from '../../src/trial/channel/own-record.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { History, readHistory, UNDELIVERED_FILE } from '../../src/run-folder/history.ts';
import { toWire } from '../../src/trial/metric.ts';
import {
  type MetricSource,
  openOutbox,
  Outbox,
  type OutboxOptions,
} from '../../src/trial/outbox.ts';
import { FakeManager } from './fake-manager.ts';
import { metricOf, recordingLogger, reportOf, SOURCE, TRIAL_ID } from './nni.ts';

/** All metrics of a search. */
export const STREAM = [metricOf(0), metricOf(1), metricOf(2), metricOf(0, { type: 'FINAL' })];

/** A patience for tests: its pauses take 78 ms. */
const PATIENCE = { retryDelaysMs: [1, 2, 5], storedDelaysMs: [10, 20, 40] };

/** Until a delivery that works has to be done, milliseconds. */
export const LIMIT_MS = 10_000;

export async function postAll(outbox: Outbox, metrics: readonly Metric[] = STREAM): Promise<void> {
  for (const metric of metrics) await outbox.post(reportOf(metric));
}

/** An outbox, its folder and a fake manager, new ones for each test. */
export class OutboxBench {
  readonly logger: ReturnType<typeof recordingLogger> = recordingLogger();
  manager!: FakeManager;
  folder!: string;
  #root = '';
  readonly #opened: { outbox: Outbox; channel: TrialChannel }[] = [];

  /** To be called where tests are registered. */
  constructor() {
    before(async () => {
      this.#root = await mkdtemp(join(tmpdir(), 'nni-cream-outbox-'));
    });
    beforeEach(async () => {
      this.manager = await FakeManager.start();
      await this.changeFolder();
      this.logger.lines.length = 0;
    });
    afterEach(async () => {
      for (const { outbox, channel } of this.#opened.splice(0)) {
        await channel.close();
        await outbox.close();
      }
      await this.manager.stop();
    });
    after(() => rm(this.#root, { recursive: true }));
  }

  async changeFolder(): Promise<void> {
    this.folder = await mkdtemp(join(this.#root, 'run-'));
  }

  /** A channel to the fake; `isLocal` where its database can be asked. */
  httpChannel(isLocal = true, metricMs = 2000): HttpChannel {
    const url = this.manager.urlOf(TRIAL_ID);
    return new HttpChannel({
      url,
      trialJobUrl: null,
      metricDataUrl: isLocal ? metricDataUrl(url, TRIAL_ID) : null,
      logger: this.logger,
      timers: systemTimers,
      patience: {
        parametersMs: 500,
        metricMs,
        retryDelaysMs: [1],
        lookupIntervalMs: 1,
        lookupAttempts: 1,
      },
    });
  }

  async open(
    channel: TrialChannel = this.httpChannel(),
    source: MetricSource = SOURCE,
  ): Promise<Outbox> {
    const outbox = await openOutbox(await this.#options(channel, source));
    this.#opened.push({ outbox, channel });
    return outbox;
  }

  /** An outbox that is not started, with these to deliver. */
  async make(metrics: readonly Metric[]): Promise<Outbox> {
    await this.leave(metrics, []);
    const channel = this.httpChannel();
    const undelivered = metrics.map((metric) => ({ metric, inDoubt: false }));
    const outbox = new Outbox(await this.#options(channel, SOURCE), undelivered);
    this.#opened.push({ outbox, channel });
    return outbox;
  }

  async #options(channel: TrialChannel, source: MetricSource): Promise<OutboxOptions> {
    return {
      ...source,
      history: await History.open(this.folder),
      channel,
      logger: this.logger,
      timers: systemTimers,
      now: () => new Date(0),
      patience: PATIENCE,
    };
  }

  /** What the fake has, in the order of its arrival. */
  arrived(): Metric[] {
    return this.manager.metrics.map((text) => JSON.parse(text) as Metric);
  }

  /** What the history holds, as NNI is told it. */
  async recorded(): Promise<Metric[]> {
    return (await readHistory(this.folder)).map(toWire);
  }

  /** What a process leaves that is killed at some moment. */
  async leave(
    metrics: readonly Metric[],
    waiting: readonly { metric: Metric; inDoubt: boolean }[],
  ): Promise<void> {
    const history = await History.open(this.folder);
    history.replace(metrics.map(reportOf));
    await history.save();
    const lines = waiting.map((value) => `${JSON.stringify(value)}\n`);
    if (lines.length > 0) await writeFile(join(this.folder, UNDELIVERED_FILE), lines.join(''));
  }

  hasUndeliveredFile(): boolean {
    return existsSync(join(this.folder, UNDELIVERED_FILE));
  }
}
