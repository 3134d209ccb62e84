/** What the tests of the outbox share. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { TrialChannel } from '../../src/trial/channel/channel.ts';
import { HttpChannel } from '../../src/trial/channel/http.ts';
import { metricDataUrl } from '../../src/trial/channel/own-record.ts';
import {
  METRICS_FILE,
  type MetricSource,
  openOutbox,
  type Outbox,
  UNDELIVERED_FILE,
} from '../../src/trial/outbox.ts';
import { FakeManager } from './fake-manager.ts';
import { metricOf, recordingLogger, SOURCE, TRIAL_ID } from './nni.ts';

/** All metrics of a search. */
export const STREAM = [metricOf(0), metricOf(1), metricOf(2), metricOf(0, { type: 'FINAL' })];

/** A patience for tests: its pauses take 78 ms. */
const PATIENCE = { retryDelaysMs: [1, 2, 5], storedDelaysMs: [10, 20, 40] };

/** Until a delivery that works has to be done, milliseconds. */
export const LIMIT_MS = 10_000;

export async function postAll(outbox: Outbox, metrics: readonly Metric[] = STREAM): Promise<void> {
  for (const metric of metrics) await outbox.post(metric);
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
    const { folder, logger } = this;
    const outbox = await openOutbox({ ...source, folder, channel, logger, patience: PATIENCE });
    this.#opened.push({ outbox, channel });
    return outbox;
  }

  /** What the fake has, in the order of its arrival. */
  arrived(): Metric[] {
    return this.manager.metrics.map((text) => JSON.parse(text) as Metric);
  }

  async recorded(): Promise<Metric[]> {
    const text = await readFile(join(this.folder, METRICS_FILE), 'utf8');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Metric]));
  }

  /** What a process leaves that is killed at some moment. */
  async leave(
    metrics: readonly Metric[],
    waiting: readonly { metric: Metric; inDoubt: boolean }[],
  ): Promise<void> {
    const lines = (values: readonly object[]): string =>
      values.map((value) => `${JSON.stringify(value)}\n`).join('');
    await writeFile(join(this.folder, METRICS_FILE), lines(metrics));
    if (waiting.length > 0) await writeFile(join(this.folder, UNDELIVERED_FILE), lines(waiting));
  }

  hasUndeliveredFile(): boolean {
    return existsSync(join(this.folder, UNDELIVERED_FILE));
  }
}
