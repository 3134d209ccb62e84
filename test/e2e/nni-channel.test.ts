/** The HTTP channel against NNI 3.0's real manager, with many short trials at a time. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createExperiment, type Experiment, freePort } from '../../src/nni/experiment.ts';
import type { Manager } from '../../src/nni/manager.ts';
import { silentLogger } from '../../src/foundation/logger.ts';
import type { Metric } from '../../src/generated/nni-message.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { UNDELIVERED_FILE } from '../../src/run-folder/history.ts';
import { replay } from '../../src/trial/replay.ts';

const TRIALS = 6;
const EXPERIMENT = {
  searchSpace: { x: { _type: 'uniform', _value: [0, 1] } },
  trialCommand: 'exec node --import tsx test/support/nni-trial.ts',
  trialCodeDirectory: resolve('.'),
  trialConcurrency: 3,
  maxTrialNumber: TRIALS,
  tuner: { name: 'TPE' },
  trainingService: { platform: 'local' },
};

const RECEIVED = ['FINAL/0', 'PERIODICAL/0', 'PERIODICAL/1', 'PERIODICAL/2'];

/** Sends one more metric of a trial that has ended. */
async function replayLate(folder: string, url: string, trialId: string): Promise<number> {
  const metric: Metric = {
    parameter_id: 0,
    trial_job_id: trialId,
    type: 'PERIODICAL',
    sequence: 3,
    value: '{"default": 0.5}',
  };
  const line = JSON.stringify({ metric, inDoubt: false });
  writeFileSync(join(folder, UNDELIVERED_FILE), `${line}\n`);
  return replay({ folder, url, logger: silentLogger, timers: systemTimers, now: () => new Date() });
}

async function waitUntilDone(manager: Manager): Promise<void> {
  for (;;) {
    const { status, errors } = await manager.status();
    assert.notEqual(status, 'ERROR', errors.join());
    if (status === 'DONE') return;
    await sleep(300);
  }
}

it(
  'NNI’s tuner gets from each of many trials what it gave to that trial and tells truly what it has',
  { timeout: 120_000 },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-channel-'));
    mkdirSync(join(folder, 'home'));
    const config = join(folder, 'experiment.json');
    writeFileSync(config, JSON.stringify(EXPERIMENT));
    let experiment: Experiment | null = null;
    t.after(async () => {
      await experiment?.stop();
      rmSync(folder, { recursive: true, maxRetries: 5 });
    });
    experiment = await createExperiment({
      pythonFolder: resolve('.python'),
      config,
      port: await freePort(),
      env: { ...process.env, HOME: join(folder, 'home') },
      timers: systemTimers,
    });
    const { manager } = experiment;
    await waitUntilDone(manager);
    const [trials, metrics] = [await manager.trials(), await manager.metrics()];
    assert.equal(trials.length, TRIALS);
    let swapped = 0;
    for (const { id, status, parameters } of trials) {
      const log = await manager.trialFile(id, 'trial.log').catch(() => '');
      assert.equal(status, 'SUCCEEDED', log);
      swapped += Number(log.includes("used this trial's own record"));
      const used = JSON.parse(await manager.trialFile(id, 'used.json')) as {
        parameters: object;
        received: string[];
      };
      assert.deepEqual(used.parameters, parameters);
      assert.deepEqual(used.received, RECEIVED);
      const reports = metrics.filter(({ trialId }) => trialId === id);
      assert.deepEqual(
        reports.map(({ type, sequence, values }) => [type, sequence, values['default']]),
        [
          ['PERIODICAL', 0, parameters['x']],
          ['PERIODICAL', 1, parameters['x']],
          ['PERIODICAL', 2, parameters['x']],
          ['FINAL', 0, parameters['x']],
        ],
      );
    }
    await assert.rejects(replayLate(folder, manager.url, trials[0]!.id), {
      code: 'METRICS_UNDELIVERED',
      message: /1 that it answered for and does not have/,
    });
    assert.equal((await manager.metrics()).length, metrics.length);
    assert.equal((await manager.status()).status, 'DONE');
    t.diagnostic(`NNI handed ${swapped} of ${TRIALS} trials another trial's record`);
  },
);
