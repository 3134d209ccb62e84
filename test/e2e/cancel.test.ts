import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
      const start = performance.now();
      await manager.cancelTrial(trial!.id);
      const seconds = (performance.now() - start) / 1000;
      assert.ok(seconds < 4, `NNI kills after 5 s; this took ${seconds} s`);
      while ((await manager.trials())[0]?.status === 'RUNNING') await sleep(200);
      assert.equal((await manager.trials())[0]?.status, 'USER_CANCELED');
    },
  );
});
