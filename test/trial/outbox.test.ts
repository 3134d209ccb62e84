import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { TrialChannel } from '../../src/trial/channel/channel.ts';
import type { HttpChannel } from '../../src/trial/channel/http.ts';
import { StdoutChannel } from '../../src/trial/channel/stdout.ts';
import {
  METRICS_FILE,
  type Outbox,
  openOutbox,
  readUndelivered,
  UNDELIVERED_FILE,
} from '../../src/trial/outbox.ts';
import { FakeManager, type Fault } from '../support/fake-manager.ts';
import { recordingLogger, SOURCE } from '../support/nni.ts';
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

const root = await mkdtemp(join(tmpdir(), 'nni-cream-outbox-'));
after(() => rm(root, { recursive: true }));

const FINAL = STREAM.at(-1)!;

const logger = recordingLogger();
let manager: FakeManager;
let folder: string;
const opened: { outbox: Outbox; channel: TrialChannel }[] = [];

/** A channel to the fake; `isLocal` where its database can be asked. */
const httpChannel = (isLocal = true, metricMs = 2000): HttpChannel =>
  httpChannelTo(manager, logger, { isLocal, metricMs });

async function open(channel: TrialChannel = httpChannel()): Promise<Outbox> {
  const outbox = await openOutbox({ ...SOURCE, folder, channel, logger, patience: PATIENCE });
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

/** Those that end with the deadline. */
const SLOW: ReadonlySet<Fault> = new Set<Fault>(['slow', 'hang']);

describe('Outbox, faults of the manager', () => {
  for (const [name, fault] of FAULTS) {
    it(`loses, doubles and reorders nothing with ${name}, at every metric`, async () => {
      for (let at = 0; at < STREAM.length; at++) {
        manager.metrics.length = 0;
        folder = await mkdtemp(join(root, 'run-'));
        const peer = manager;
        manager = await FakeManager.start();
        await peer.stop();
        const outbox = await open(httpChannel(true, SLOW.has(fault) ? 100 : 2000));
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

  it('gives a slow database time before it takes a metric for missing', async () => {
    manager.storeMs = 50;
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
    const warnings = (): string[] => logger.lines.filter((line) => line.startsWith('warning'));
    while (warnings().length === 0) await sleep(5);
    await outbox.flush(200);
    assert.equal(warnings().length, 1, warnings().join('\n'));
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

describe('Outbox, its end', () => {
  it('waits no longer than its limit for an output that nobody reads, and writes nothing later', async () => {
    let finish = (): void => undefined;
    const channel = new StdoutChannel(
      { systemDirectory: folder },
      { write: (_, done) => (finish = done) },
    );
    const outbox = await open(channel);
    await outbox.post(STREAM[0]!);
    await outbox.flush(50);
    await outbox.close();
    const left = [{ metric: STREAM[0], inDoubt: true }];
    assert.deepEqual(await readUndelivered(folder), left);
    finish();
    await sleep(50);
    assert.deepEqual(await readUndelivered(folder), left);
  });
});
