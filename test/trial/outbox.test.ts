import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { TrialChannel } from '../../src/trial/channel/channel.ts';
import { HttpChannel } from '../../src/trial/channel/http.ts';
import { metricDataUrl } from '../../src/trial/channel/own-record.ts';
import { StandaloneChannel } from '../../src/trial/channel/standalone.ts';
import {
  METRICS_FILE,
  type Outbox,
  openOutbox,
  readUndelivered,
  UNDELIVERED_FILE,
} from '../../src/trial/outbox.ts';
import { FakeManager, type Fault } from '../support/fake-manager.ts';
import { metricOf, recordingLogger, TRIAL_ID } from '../support/nni.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-outbox-'));
after(() => rm(root, { recursive: true }));

const PATIENCE = { retryDelaysMs: [1, 2, 5], storedMs: 40 };
const HTTP_PATIENCE = {
  parametersMs: 500,
  retryDelaysMs: [1],
  lookupIntervalMs: 1,
  lookupAttempts: 1,
};
const LIMIT_MS = 5000;
const FINAL = metricOf(0, { type: 'FINAL' });
const STREAM = [metricOf(0), metricOf(1), metricOf(2), FINAL];

const logger = recordingLogger();
let manager: FakeManager;
let folder: string;
const opened: { outbox: Outbox; channel: TrialChannel }[] = [];

/** A channel to the fake; `isLocal` where its database can be asked. */
function httpChannel(isLocal = true, metricMs = 100): HttpChannel {
  const url = manager.urlOf(TRIAL_ID);
  return new HttpChannel({
    url,
    trialJobUrl: null,
    metricDataUrl: isLocal ? metricDataUrl(url, TRIAL_ID) : undefined,
    logger,
    patience: { ...HTTP_PATIENCE, metricMs },
  });
}

async function open(channel: TrialChannel = httpChannel(), trialJobId = TRIAL_ID): Promise<Outbox> {
  const outbox = await openOutbox({ folder, channel, logger, patience: PATIENCE, trialJobId });
  opened.push({ outbox, channel });
  return outbox;
}

async function postAll(outbox: Outbox, metrics: readonly Metric[] = STREAM): Promise<void> {
  for (const metric of metrics) await outbox.post(metric);
}

function arrived(): Metric[] {
  return manager.metrics.map((text) => JSON.parse(text) as Metric);
}

async function recorded(): Promise<Metric[]> {
  const text = await readFile(join(folder, METRICS_FILE), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Metric]));
}

/** What a process left that was killed at some moment. */
async function leave(
  metrics: readonly Metric[],
  waiting: readonly { metric: Metric; inDoubt: boolean }[],
): Promise<void> {
  const lines = (values: readonly object[]): string =>
    values.map((value) => `${JSON.stringify(value)}\n`).join('');
  await writeFile(join(folder, METRICS_FILE), lines(metrics));
  if (waiting.length > 0) await writeFile(join(folder, UNDELIVERED_FILE), lines(waiting));
}

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

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['a connection that breaks before the manager acts', 'break'],
  ['a connection that breaks after the manager has acted', 'reset'],
  ['a manager that acts and closes its end', 'half-close'],
  ['a manager that acts and answers after the deadline', 'slow'],
  ['a manager that does not answer', 'hang'],
  ['status 500', { status: 500 }],
  ['status 503', { status: 503 }],
  ['status 404', { status: 404 }],
];

describe('Outbox, faults of the manager', () => {
  for (const [name, fault] of FAULTS) {
    it(`loses, doubles and reorders nothing with ${name}, at every metric`, async () => {
      for (let at = 0; at < STREAM.length; at++) {
        manager.metrics.length = 0;
        folder = await mkdtemp(join(root, 'run-'));
        const peer = manager;
        manager = await FakeManager.start();
        await peer.stop();
        const outbox = await open();
        await postAll(outbox, STREAM.slice(0, at));
        assert.equal(await outbox.flush(LIMIT_MS), 0);
        manager.fail('PUT', fault, fault);
        await postAll(outbox, STREAM.slice(at));
        assert.equal(await outbox.flush(LIMIT_MS), 0);
        assert.deepEqual(arrived(), STREAM);
        assert.equal(hasUndeliveredFile(), false);
        assert.deepEqual(await recorded(), STREAM);
      }
    });
  }

  it('gives the database time before it takes a metric for missing', async () => {
    manager.storeMs = 20;
    manager.fail('PUT', 'reset', 'reset', 'reset');
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
  });

  it('outlives a long outage: posts go on, and all arrives in order from a manager on the same port', async () => {
    const channel = httpChannel();
    const { port } = manager;
    await manager.stop();
    const outbox = await open(channel);
    await postAll(outbox, STREAM.slice(0, 3));
    assert.ok((await outbox.flush(300)) > 0);
    assert.deepEqual((await readUndelivered(folder)).map(({ metric }) => metric), STREAM.slice(0, 3)); // prettier-ignore
    manager = await FakeManager.start('', port);
    await postAll(outbox, STREAM.slice(3));
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
  });

  it('says an outage once, not at every try', async () => {
    const channel = httpChannel();
    await manager.stop();
    const outbox = await open(channel);
    await postAll(outbox);
    await outbox.flush(200);
    const warnings = logger.lines.filter((line) => line.startsWith('warning'));
    assert.equal(warnings.length, 1, warnings.join('\n'));
    manager = await FakeManager.start();
  });

  it('waits for no answer of NNI: neither opening nor posting does', async () => {
    manager.fail('metric-data', 'hang', 'hang');
    manager.fail('PUT', 'hang');
    const posted = open(httpChannel(true, 60_000)).then((outbox) => postAll(outbox));
    assert.notEqual(await Promise.race([posted, sleep(10_000, 'waiting')]), 'waiting');
  });

  it('stops sending, not posting, when the manager has closed the channel', async () => {
    manager.fail('PUT', { status: 410 });
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), STREAM.length);
    assert.deepEqual(arrived(), []);
    assert.deepEqual(await recorded(), STREAM);
    const waiting = STREAM.map((metric) => ({ metric, inDoubt: false }));
    assert.deepEqual(await readUndelivered(folder), waiting);
  });

  it('warns where the disk cannot be written, and delivers what is in memory', async () => {
    // Root may write everywhere: folders in the place of the files stop it too.
    await mkdir(join(folder, `${UNDELIVERED_FILE}.partial`));
    await mkdir(join(folder, `${METRICS_FILE}.partial`));
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
    assert.match(logger.lines[0]!, /^warning metrics are kept in memory only: /);
  });
});

describe('Outbox, where NNI does not tell what it has', () => {
  it('never sends a metric in doubt again, keeps it, and goes on', async () => {
    const outbox = await open(httpChannel(false));
    await outbox.post(STREAM[0]!);
    await outbox.flush(LIMIT_MS);
    manager.fail('PUT', 'break');
    await postAll(outbox, STREAM.slice(1));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(arrived(), [STREAM[0], STREAM[2], FINAL]);
    assert.deepEqual(
      (await readUndelivered(folder)).map(({ metric }) => metric),
      [STREAM[1]],
    );
  });

  it('sends again what surely has not arrived', async () => {
    manager.fail('PUT', { status: 503 }, { status: 500 });
    const outbox = await open(httpChannel(false));
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
  });

  it('is in doubt too when the web UI answers in place of the database', async () => {
    manager.hasDatabase = false;
    manager.fail('PUT', 'reset');
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(arrived(), STREAM);
  });
});

describe('Outbox, after a kill', () => {
  for (const inDoubt of [false, true]) {
    it(`between queue and record: both are completed (in doubt: ${String(inDoubt)})`, async () => {
      await leave(STREAM.slice(0, 3), [{ metric: FINAL, inDoubt }]);
      const outbox = await open();
      await postAll(outbox);
      assert.equal(await outbox.flush(LIMIT_MS), 0);
      assert.deepEqual(arrived().at(-1), FINAL);
      assert.equal(arrived().filter(({ type }) => type === 'FINAL').length, 1);
      assert.deepEqual(await recorded(), STREAM);
      assert.equal(hasUndeliveredFile(), false);
    });
  }

  it('between the answer and the record of it: nothing is doubled, and the file is gone', async () => {
    const before = await open();
    await postAll(before, STREAM.slice(0, 2));
    await before.flush(LIMIT_MS);
    await leave(STREAM.slice(0, 2), [{ metric: STREAM[1]!, inDoubt: true }]);
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
    assert.equal(hasUndeliveredFile(), false);
  });

  it('of a process that had delivered all: the file of the undelivered goes, with nothing to post', async () => {
    const before = await open();
    await postAll(before);
    await before.flush(LIMIT_MS);
    await leave(STREAM, [{ metric: FINAL, inDoubt: true }]);
    assert.equal(await (await open()).flush(LIMIT_MS), 0);
    assert.equal(hasUndeliveredFile(), false);
    assert.deepEqual(arrived(), STREAM);
  });

  it('sends what NNI had answered for and lost, as it is stopped, without a gap', async () => {
    const before = await open();
    await postAll(before, STREAM.slice(0, 1));
    await before.flush(LIMIT_MS);
    await leave(STREAM.slice(0, 3), []);
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(arrived(), STREAM);
  });

  it('in the middle of a send, by a signal: what may have arrived is not sent again', async () => {
    manager.fail('PUT', 'slow');
    const channel = httpChannel(false);
    const outbox = await open(channel);
    await outbox.post(STREAM[0]!);
    while (manager.metrics.length === 0) await sleep(2);
    await channel.close();
    await outbox.close();
    assert.deepEqual(await readUndelivered(folder), [{ metric: STREAM[0], inDoubt: true }]);
    const next = await open(httpChannel(false));
    assert.equal(await next.flush(LIMIT_MS), 1);
    assert.deepEqual(arrived(), [STREAM[0]]);
  });

  it('drops a torn last line and refuses a damaged one', async () => {
    await writeFile(join(folder, METRICS_FILE), `${JSON.stringify(STREAM[0])}\n{"parameter_id"`);
    const outbox = await open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(await recorded(), STREAM);
    await writeFile(join(folder, METRICS_FILE), '{"parameter_id"\n');
    await assert.rejects(open(), { code: 'FILE_UNREADABLE' });
  });
});

describe('Outbox, other trials', () => {
  const FOREIGN = metricOf(0, { trial_job_id: 'other' });

  it('sends no metric of another trial, which NNI would end the experiment for, and keeps it', async () => {
    await leave([FOREIGN], [{ metric: FOREIGN, inDoubt: false }]);
    const outbox = await open();
    await postAll(outbox, STREAM.slice(1));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(arrived(), STREAM.slice(1));
    assert.deepEqual(await readUndelivered(folder), [{ metric: FOREIGN, inDoubt: false }]);
  });

  it('keeps what NNI has to get while the search goes on without NNI', async () => {
    await leave(STREAM.slice(0, 2), [{ metric: STREAM[1]!, inDoubt: false }]);
    const outbox = await open(new StandaloneChannel(logger), 'STANDALONE');
    await outbox.post(metricOf(2, { trial_job_id: 'STANDALONE', parameter_id: null }));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(
      (await readUndelivered(folder)).map(({ metric }) => metric),
      [STREAM[1]],
    );
    assert.ok(logger.lines.some((line) => line.includes('(Index 2)')));
  });
});
