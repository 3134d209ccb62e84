/** The HTTP channel against NNI 3.0's real manager, with many short trials at a time. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createExperiment, type Experiment, freePort } from '../../scripts/nni/experiment.ts';
import type { Manager } from '../../scripts/nni/manager.ts';

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

async function waitUntilDone(manager: Manager): Promise<void> {
  for (;;) {
    const { status, errors } = await manager.status();
    assert.notEqual(status, 'ERROR', errors.join());
    if (status === 'DONE') return;
    await sleep(300);
  }
}

it(
  'NNI’s tuner gets from each of many trials what it gave to that trial [checks 29, 30]',
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
      const used = JSON.parse(await manager.trialFile(id, 'used.json')) as { parameters: object };
      assert.deepEqual(used.parameters, parameters);
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
    t.diagnostic(`NNI handed ${swapped} of ${TRIALS} trials another trial's record`);
  },
);
