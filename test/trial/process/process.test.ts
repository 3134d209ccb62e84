import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { it } from 'node:test';
import type { Metric } from '../../../src/generated/nni-message.ts';
import { FakeManager, trialJob } from '../../support/fake-manager.ts';
import { TRIAL_ID } from '../../support/nni.ts';

const RECORD = '{"parameter_id": 4, "parameters": {"x": 0.25}}';

it('a process, launched as NNI does, sends all before it ends, and takes no proxy', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'nni-cream-process-'));
  const manager = await FakeManager.start();
  manager.records.push(RECORD);
  manager.trialJobs.set(TRIAL_ID, [trialJob(RECORD)]);
  const child = spawn('exec node --import tsx test/support/nni-trial.ts', {
    shell: '/bin/bash',
    cwd: resolve(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: 'http://127.0.0.1:9',
      http_proxy: 'http://127.0.0.1:9',
      NNI_PLATFORM: 'local',
      NNI_EXP_ID: 'experiment',
      NNI_TRIAL_JOB_ID: TRIAL_ID,
      NNI_TRIAL_SEQ_ID: '0',
      NNI_SYS_DIR: directory,
      NNI_OUTPUT_DIR: directory,
      NNI_TRIAL_COMMAND_CHANNEL: manager.urlOf(TRIAL_ID),
    },
  });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  const metrics = manager.metrics.map((text) => JSON.parse(text) as Metric);
  assert.deepEqual(
    metrics.map(({ type, sequence, parameter_id }) => [type, sequence, parameter_id]),
    [
      ['PERIODICAL', 0, 4],
      ['PERIODICAL', 1, 4],
      ['PERIODICAL', 2, 4],
      ['FINAL', 0, 4],
    ],
  );
  assert.match(metrics[3]!.value, /^\{"default": 0\.25, "loss": 1\.0, /);
  assert.deepEqual(JSON.parse(await readFile(join(directory, 'used.json'), 'utf8')), {
    parameterId: 4,
    parameters: { x: 0.25 },
    received: ['FINAL/0', 'PERIODICAL/0', 'PERIODICAL/1', 'PERIODICAL/2'],
  });
  await manager.stop();
  await rm(directory, { recursive: true });
});
