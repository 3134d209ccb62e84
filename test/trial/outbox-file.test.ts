import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/foundation/logger.ts';
import { FileChannel } from '../../src/trial/channel/file.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { History, METRICS_FILE } from '../../src/run-folder/history.ts';
import { type Outbox, openOutbox } from '../../src/trial/outbox.ts';
import { metricOf, reportOf, SOURCE } from '../support/nni.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-outbox-file-'));
after(() => rm(root, { recursive: true }));

const LIMIT_MS = 5000;
const STREAM = [metricOf(0), metricOf(1), metricOf(2), metricOf(0, { type: 'FINAL' })];

let folder: string;

const timers = systemTimers;

async function open(channel: FileChannel): Promise<Outbox> {
  const history = await History.open(folder);
  const now = (): Date => new Date(0);
  return openOutbox({ ...SOURCE, history, channel, logger: silentLogger, timers, now });
}

async function postAll(outbox: Outbox, metrics = STREAM): Promise<void> {
  for (const metric of metrics) await outbox.post(reportOf(metric));
}

beforeEach(async () => {
  folder = await mkdtemp(join(root, 'run-'));
});

describe('Outbox with the file channel', () => {
  async function trialFolder(): Promise<string> {
    const systemDirectory = await mkdtemp(join(root, 'trial-'));
    await mkdir(join(systemDirectory, '.nni'));
    await writeFile(join(systemDirectory, '.nni', 'metrics'), '');
    return systemDirectory;
  }

  const framesOf = async (systemDirectory: string): Promise<string[]> => {
    const text = await readFile(join(systemDirectory, '.nni', 'metrics'), 'utf8');
    return [...text.matchAll(/"type":"(\w+)","sequence":(\d+)/g)].map(([, a, b]) => `${a}/${b}`);
  };
  const ALL = ['PERIODICAL/0', 'PERIODICAL/1', 'PERIODICAL/2', 'FINAL/0'];

  for (const keepsFolder of [true, false]) {
    it(`the same trial again, its metrics file has rows: sequences stay unique (own record kept: ${String(keepsFolder)})`, async () => {
      const systemDirectory = await trialFolder();
      const before = await open(new FileChannel({ systemDirectory, timers }));
      await postAll(before, STREAM.slice(0, 2));
      assert.equal(await before.flush(LIMIT_MS), 0);
      if (!keepsFolder) await rm(join(folder, METRICS_FILE));
      const outbox = await open(new FileChannel({ systemDirectory, timers }));
      await postAll(outbox);
      assert.equal(await outbox.flush(LIMIT_MS), 0);
      assert.deepEqual(await framesOf(systemDirectory), ALL);
    });
  }

  it('cuts a torn frame off, after which the manager would misread all that follow', async () => {
    const systemDirectory = await trialFolder();
    const before = await open(new FileChannel({ systemDirectory, timers }));
    await postAll(before, STREAM.slice(0, 1));
    await before.flush(LIMIT_MS);
    const file = join(systemDirectory, '.nni', 'metrics');
    await writeFile(file, `${await readFile(file, 'utf8')}ME000107{"parameter_id":2,"tri`);
    const outbox = await open(new FileChannel({ systemDirectory, timers }));
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(await framesOf(systemDirectory), ALL);
    const channel = new FileChannel({ systemDirectory, timers });
    assert.deepEqual([...(await channel.receivedMetrics())], ALL);
  });
});
