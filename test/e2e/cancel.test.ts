import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOCK_FILE } from '../../src/run-folder/lock.ts';
import { startExperiment } from './support.ts';

describe('a trial that is cancelled in the web UI', () => {
  it(
    'ends by the signal, so that NNI shows it as cancelled and not as failed',
    { timeout: 300_000 },
    async (t) => {
      const { manager, stop } = await startExperiment({
        trials: 1,
        searchSpace: { seed: { _type: 'choice', _value: [1] } },
        changes: { epochs: 100_000 },
      });
      t.after(() => stop());
      while ((await manager.metrics()).length === 0) {
        const [trial] = await manager.trials();
        assert.notEqual(trial?.status, 'FAILED');
        await sleep(200);
      }
      const [trial] = await manager.trials();
      await manager.cancelTrial(trial!.id);
      while ((await manager.trials())[0]?.status === 'RUNNING') await sleep(200);
      assert.equal((await manager.trials())[0]?.status, 'USER_CANCELED');
      // NNI kills after 5 s: a trial that was killed leaves its lock behind.
      assert.match(await manager.trialFile(trial!.id, 'trial.log'), /: cleaning up/);
      assert.equal(existsSync(join(trial!.folder, LOCK_FILE)), false);
    },
  );
});
