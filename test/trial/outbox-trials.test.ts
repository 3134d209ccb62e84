import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { TrialChannel } from '../../src/trial/channel/channel.ts';
import type { HttpChannel } from '../../src/trial/channel/http.ts';
import { StandaloneChannel } from '../../src/trial/channel/standalone.ts';
import {
  type MetricSource,
  type Outbox,
  openOutbox,
  readUndelivered,
  UNDELIVERED_FILE,
} from '../../src/trial/outbox.ts';
import { FakeManager } from '../support/fake-manager.ts';
import { metricOf, recordingLogger, SOURCE } from '../support/nni.ts';
import {
  arrivedAt,
  httpChannelTo,
  leaveIn,
  LIMIT_MS,
  PATIENCE,
  postAll,
  recordedIn,
  STREAM,
} from '../support/outbox.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-outbox-trials-'));
after(() => rm(root, { recursive: true }));

const logger = recordingLogger();
let manager: FakeManager;
let folder: string;
const opened: { outbox: Outbox; channel: TrialChannel }[] = [];

/** A channel to the fake; `isLocal` where its database can be asked. */
const httpChannel = (isLocal = true): HttpChannel => httpChannelTo(manager, logger, { isLocal });

async function open(
  channel: TrialChannel = httpChannel(),
  source: MetricSource = SOURCE,
): Promise<Outbox> {
  const outbox = await openOutbox({ ...source, folder, channel, logger, patience: PATIENCE });
  opened.push({ outbox, channel });
  return outbox;
}

const arrived = (): Metric[] => arrivedAt(manager);
const recorded = (): Promise<Metric[]> => recordedIn(folder);
const leave = (
  metrics: readonly Metric[],
  waiting: readonly { metric: Metric; inDoubt: boolean }[],
): Promise<void> => leaveIn(folder, metrics, waiting);
const hasUndeliveredFile = (): boolean => existsSync(join(folder, UNDELIVERED_FILE));

beforeEach(async () => {
  manager = await FakeManager.start();
  folder = await mkdtemp(join(root, 'run-'));
  logger.lines.length = 0;
});
afterEach(async () => {
  for (const { outbox, channel } of opened.splice(0)) {
    await channel.close();
    await outbox.close();
  }
  await manager.stop();
});

describe('Outbox, other trials', () => {
  const ALONE: MetricSource = { parameterId: null, trialJobId: 'STANDALONE' };
  const alone = (metric: Metric): Metric => ({
    ...metric,
    parameter_id: null,
    trial_job_id: 'STANDALONE',
  });
  const FOREIGN = metricOf(0, { trial_job_id: 'other' });

  it('sends no metric of another trial, which NNI would end the experiment for, and keeps it', async () => {
    await leave([FOREIGN], [{ metric: FOREIGN, inDoubt: false }]);
    const outbox = await open();
    await postAll(outbox, STREAM.slice(1));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(arrived(), STREAM.slice(1));
    assert.deepEqual(await readUndelivered(folder), [{ metric: FOREIGN, inDoubt: false }]);
  });

  it('takes a report of another trial for none of its own', async () => {
    await leave([FOREIGN], []);
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
    assert.deepEqual(await recorded(), [FOREIGN, ...STREAM]);
  });

  it('keeps what NNI has to get while the search goes on without NNI', async () => {
    await leave(STREAM.slice(0, 2), [{ metric: STREAM[1]!, inDoubt: false }]);
    const outbox = await open(new StandaloneChannel(logger), ALONE);
    await postAll(outbox, STREAM.slice(0, 3).map(alone));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(
      (await readUndelivered(folder)).map(({ metric }) => metric),
      [STREAM[1]],
    );
    assert.deepEqual(
      logger.lines.filter((line) => line.includes('Index')),
      ['info Intermediate result: {"default": 0.5}  (Index 2)'],
    );
  });

  for (const isLocal of [true, false]) {
    for (const count of [3, STREAM.length]) {
      it(`reports to NNI what the search reported without it: ${count} of 4 (NNI tells what it has: ${String(isLocal)})`, async () => {
        const before = await open(httpChannel(isLocal));
        await postAll(before, STREAM.slice(0, 1));
        assert.equal(await before.flush(LIMIT_MS), 0);
        await before.close();
        const between = await open(new StandaloneChannel(logger), ALONE);
        await postAll(between, STREAM.slice(0, count).map(alone));
        assert.equal(await between.flush(LIMIT_MS), 0);
        await between.close();
        const outbox = await open(httpChannel(isLocal));
        await postAll(outbox);
        assert.equal(await outbox.flush(LIMIT_MS), 0);
        assert.deepEqual(arrived(), STREAM);
        assert.deepEqual(await recorded(), STREAM);
        assert.equal(hasUndeliveredFile(), false);
      });
    }
  }

  it('reports it once, also when a process was killed while it took it over', async () => {
    const own = STREAM.slice(0, 1);
    const rest = STREAM.slice(1);
    const before = await open(httpChannel(false));
    await postAll(before, own);
    await before.flush(LIMIT_MS);
    await leave(
      [...own, ...rest.map(alone)],
      rest.map((metric) => ({ metric, inDoubt: false })),
    );
    assert.equal(await (await open(httpChannel(false))).flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
    assert.deepEqual(await recorded(), STREAM);
  });

  it('reports what a search without NNI was killed at', async () => {
    await leave([], [{ metric: alone(STREAM[0]!), inDoubt: true }]);
    const outbox = await open(httpChannel(false));
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
  });
});
