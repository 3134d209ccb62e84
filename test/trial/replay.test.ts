import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import { acquireLock } from '../../src/run-folder/lock.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { History, readHistory, UNDELIVERED_FILE } from '../../src/run-folder/history.ts';
import { readUndelivered } from '../../src/trial/outbox.ts';
import { replay } from '../../src/trial/replay.ts';
import { until } from '../support/command.ts';
import { FakeManager } from '../support/fake-manager.ts';
import { metricOf, recordingLogger, reportOf, TRIAL_ID } from '../support/nni.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-replay-'));
after(() => rm(root, { recursive: true }));

const STREAM = [metricOf(0), metricOf(1), metricOf(0, { type: 'FINAL' })];
const WAITING = STREAM.slice(1).map((metric) => ({ metric, inDoubt: false }));
/** The first one too: the manager that the test has just started does not have it. */
const ALL = STREAM.map((metric) => ({ metric, inDoubt: false }));
const UNDELIVERED = { code: 'METRICS_UNDELIVERED' };

let manager: FakeManager;
let folder: string;

const send = (url = `http://127.0.0.1:${manager.port}`, limitMs = 10_000): Promise<number> =>
  replay({
    folder,
    url,
    logger: recordingLogger(),
    timers: systemTimers,
    now: () => new Date(0),
    limitMs,
    patience: { retryDelaysMs: [1, 5], storedDelaysMs: [10, 20, 40] },
  });

const linesOf = (values: readonly object[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

const arrived = (): Metric[] => manager.metrics.map((text) => JSON.parse(text) as Metric);

beforeEach(async () => {
  manager = await FakeManager.start();
  folder = await mkdtemp(join(root, 'run-'));
  const history = await History.open(folder);
  history.replace(STREAM.map(reportOf));
  await history.save();
  await writeFile(join(folder, UNDELIVERED_FILE), linesOf(WAITING));
});
afterEach(() => manager.stop());

describe('replay', () => {
  for (const form of ['web UI', 'web UI with a slash', 'channel']) {
    it(`delivers in order to the address of the ${form}, and removes the file`, async () => {
      manager.storeMs = 10;
      const base = `http://127.0.0.1:${manager.port}`;
      const url = { 'web UI': base, 'web UI with a slash': `${base}/` }[form];
      assert.equal(await send(url ?? manager.urlOf(TRIAL_ID)), 2);
      assert.deepEqual(arrived(), STREAM);
      assert.equal(existsSync(join(folder, UNDELIVERED_FILE)), false);
      assert.equal(await send(), 0);
      assert.deepEqual(await readHistory(folder), STREAM.map(reportOf));
    });
  }

  it('sends nothing that NNI has already, and removes the file', async () => {
    await send();
    await writeFile(join(folder, UNDELIVERED_FILE), linesOf(WAITING));
    assert.equal(await send(), 2);
    assert.deepEqual(arrived(), STREAM);
    assert.equal(existsSync(join(folder, UNDELIVERED_FILE)), false);
  });

  it('says that NNI dropped them, and keeps them', async () => {
    manager.isDropping = true;
    await assert.rejects(send(), { ...UNDELIVERED, message: /answered for and does not have/ });
    assert.deepEqual(await readUndelivered(folder), ALL);
  });

  it('keeps them, in doubt, when the database does not answer any more', async () => {
    const fault = { status: 503 };
    const sent = send();
    await until(() => manager.metrics.length === STREAM.length, { pollMs: 1 });
    manager.fail('metric-data', fault, fault);
    await assert.rejects(sent, UNDELIVERED);
    const waiting = STREAM.map((metric) => ({ metric, inDoubt: true }));
    assert.deepEqual(await readUndelivered(folder), waiting);
  });

  it('believes the channel where there is no database', async () => {
    manager.hasDatabase = false;
    assert.equal(await send(), 2);
    assert.deepEqual(arrived(), STREAM.slice(1));
    assert.equal(existsSync(join(folder, UNDELIVERED_FILE)), false);
  });

  it('refuses while a search writes into the folder', async () => {
    const lock = await acquireLock(folder, { command: 'a search', time: new Date(0) });
    await assert.rejects(send(), { code: 'FOLDER_IN_USE' });
    await lock.release();
    assert.deepEqual(manager.seen, []);
    assert.equal(await send(), 2);
  });

  it('refuses a folder that is missing, and makes none', async () => {
    await rm(folder, { recursive: true });
    await assert.rejects(send(), { code: 'FILE_UNREADABLE' });
    assert.equal(existsSync(folder), false);
  });

  it('keeps them when nobody listens', async () => {
    const { port } = manager;
    await manager.stop();
    await assert.rejects(send(`http://127.0.0.1:${port}`, 500), UNDELIVERED);
    assert.deepEqual(await readUndelivered(folder), WAITING);
    manager = await FakeManager.start();
  });

  it('refuses another trial’s channel, for which NNI would end the experiment', async () => {
    for (const url of [manager.urlOf('other'), 'localhost:8080', 'ws://localhost/env/x']) {
      await assert.rejects(send(url), { code: 'USAGE' });
    }
    assert.deepEqual(manager.seen, []);
    assert.deepEqual(await readUndelivered(folder), WAITING);
  });
});
