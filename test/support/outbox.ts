/** What the tests of the outbox share. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../src/foundation/logger.ts';
import type { Metric } from '../../src/generated/nni-message.ts';
import { HttpChannel } from '../../src/trial/channel/http.ts';
import { metricDataUrl } from '../../src/trial/channel/own-record.ts';
import { METRICS_FILE, type Outbox, UNDELIVERED_FILE } from '../../src/trial/outbox.ts';
import type { FakeManager } from './fake-manager.ts';
import { metricOf, TRIAL_ID } from './nni.ts';

/** All metrics of a search. */
export const STREAM = [metricOf(0), metricOf(1), metricOf(2), metricOf(0, { type: 'FINAL' })];

/** A patience for tests: its pauses take 78 ms. */
export const PATIENCE = { retryDelaysMs: [1, 2, 5], storedDelaysMs: [10, 20, 40] };

/** Until a delivery that works has to be done, milliseconds. */
export const LIMIT_MS = 10_000;

/** A channel to the fake; `isLocal` where its database can be asked. */
export function httpChannelTo(
  manager: FakeManager,
  logger: Logger,
  { isLocal = true, metricMs = 2000 } = {},
): HttpChannel {
  const url = manager.urlOf(TRIAL_ID);
  return new HttpChannel({
    url,
    trialJobUrl: null,
    metricDataUrl: isLocal ? metricDataUrl(url, TRIAL_ID) : null,
    logger,
    patience: {
      parametersMs: 500,
      metricMs,
      retryDelaysMs: [1],
      lookupIntervalMs: 1,
      lookupAttempts: 1,
    },
  });
}

export async function postAll(outbox: Outbox, metrics: readonly Metric[] = STREAM): Promise<void> {
  for (const metric of metrics) await outbox.post(metric);
}

/** What the fake has, in the order of its arrival. */
export function arrivedAt(manager: FakeManager): Metric[] {
  return manager.metrics.map((text) => JSON.parse(text) as Metric);
}

export async function recordedIn(folder: string): Promise<Metric[]> {
  const text = await readFile(join(folder, METRICS_FILE), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Metric]));
}

/** What a process left that was killed at some moment. */
export async function leaveIn(
  folder: string,
  metrics: readonly Metric[],
  waiting: readonly { metric: Metric; inDoubt: boolean }[],
): Promise<void> {
  const lines = (values: readonly object[]): string =>
    values.map((value) => `${JSON.stringify(value)}\n`).join('');
  await writeFile(join(folder, METRICS_FILE), lines(metrics));
  if (waiting.length > 0) await writeFile(join(folder, UNDELIVERED_FILE), lines(waiting));
}
