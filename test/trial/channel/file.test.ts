import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemTimers as timers } from '../../../src/cli/system.ts';
import type { Metric } from '../../../src/generated/nni-message.ts';
import { FileChannel, metricFrame } from '../../../src/trial/channel/file.ts';
import { testChannelContract } from '../../contract/channel.ts';
import { metricOf, RECORD, RECORD_TEXT } from '../../support/nni.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-file-'));
after(() => rm(root, { recursive: true }));

/** A trial's folder as NNI 2.x makes it. */
async function trialDirectory(parameters?: string): Promise<string> {
  const directory = await mkdtemp(join(root, 'trial-'));
  await mkdir(join(directory, '.nni'));
  await writeFile(join(directory, '.nni', 'metrics'), '');
  if (parameters !== undefined) await writeFile(join(directory, 'parameter.cfg'), parameters);
  return directory;
}

/** Reads frames as the manager does: two bytes of type, six digits, that many bytes. */
function decodeFrames(bytes: Buffer): Metric[] {
  const metrics: Metric[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number.parseInt(bytes.toString('ascii', at + 2, at + 8), 10);
    metrics.push(JSON.parse(bytes.toString('utf8', at + 8, at + 8 + length)) as Metric);
    at += 8 + length;
  }
  return metrics;
}

testChannelContract('file', async (record) => {
  const systemDirectory = await trialDirectory(record);
  const metrics = join(systemDirectory, '.nni', 'metrics');
  return {
    channel: new FileChannel({ systemDirectory, timers }),
    received: async () => decodeFrames(await readFile(metrics)),
    dispose: () => rm(systemDirectory, { recursive: true }),
  };
});

describe('metricFrame', () => {
  it('is ME, six digits, JSON and a newline, byte for byte', () => {
    const value = '{"default": 0.5, "é": 1.0}';
    assert.equal(
      metricFrame(metricOf(0, { value })).toString('latin1'),
      'ME000121{"parameter_id":2,"trial_job_id":"RNssq","type":"PERIODICAL","sequence":0,' +
        '"value":"{\\"default\\": 0.5, \\"\\u00e9\\": 1.0}"}\n',
    );
  });

  it('takes 999,999 bytes and refuses one more', () => {
    const overhead = metricFrame(metricOf(0, { value: '' })).length - 8;
    const longest = metricFrame(metricOf(0, { value: 'x'.repeat(999_999 - overhead) }));
    assert.equal(longest.toString('ascii', 0, 8), 'ME999999');
    assert.equal(longest.length, 999_999 + 8);
    assert.throws(() => metricFrame(metricOf(0, { value: 'x'.repeat(1_000_000 - overhead) })), {
      code: 'METRIC_INVALID',
      message: /at most 999999 bytes; found 1000000/,
    });
  });
});

describe('FileChannel', () => {
  it('waits for a parameter file that is missing, then empty', async () => {
    const systemDirectory = await trialDirectory();
    const path = join(systemDirectory, 'parameter.cfg');
    const received = new FileChannel({
      systemDirectory,
      timers,
      intervalMs: 5,
    }).receiveParameters();
    await new Promise((resolve) => setTimeout(resolve, 12));
    await writeFile(path, '');
    await new Promise((resolve) => setTimeout(resolve, 12));
    await writeFile(path, RECORD_TEXT);
    assert.deepEqual(await received, RECORD);
    assert.equal(await readFile(join(systemDirectory, '.nni', 'metrics'), 'utf8'), '');
  });

  it('gives up at its limit, and on a truncated file', async () => {
    const missing = {
      systemDirectory: await trialDirectory(),
      timers,
      intervalMs: 5,
      limitMs: 10,
    };
    const truncated = {
      systemDirectory: await trialDirectory(RECORD_TEXT.slice(0, 40)),
      timers,
    };
    for (const files of [missing, truncated]) {
      await assert.rejects(new FileChannel(files).receiveParameters(), {
        code: 'CHANNEL_FAILED',
        message: /parameter\.cfg/,
      });
    }
  });

  it('touches the file, for the manager’s watcher', async () => {
    const systemDirectory = await trialDirectory();
    const watcher = watch(join(systemDirectory, '.nni', 'metrics'));
    const changes: string[] = [];
    watcher.on('change', (kind) => changes.push(kind));
    await new FileChannel({ systemDirectory, timers }).sendMetric(metricOf(0));
    for (let waitedMs = 0; changes.length < 2 && waitedMs < 2000; waitedMs += 5) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    watcher.close();
    assert.deepEqual(changes, ['change', 'change'], 'the content, then the attributes');
  });

  it('fails where the file cannot be written', async () => {
    const channel = new FileChannel({ systemDirectory: join(root, 'missing'), timers });
    await assert.rejects(channel.sendMetric(metricOf(0)), { code: 'CHANNEL_FAILED' });
  });
});
