import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeManager } from '../support/fake-manager.ts';

/** The product's promise, in milliseconds beyond the start of a bare Node. */
const LIMIT_MS = 300;
const STARTS = 5;

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

/** How long an empty program takes: what the machine, and its load, are to blame for. */
function bareStartMs(): number {
  const started = performance.now();
  spawnSync(process.execPath, ['-e', '']);
  return performance.now() - started;
}

describe('nni-cream trial', () => {
  it('check 2: asks for its parameters before anything slow, and only once', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-trial-'));
    const manager = await FakeManager.start();
    t.after(async () => {
      await manager.stop();
      rmSync(folder, { recursive: true });
    });
    const times: number[] = [];
    for (let i = 0; i < STARTS; i++) {
      const before = manager.countOf('PUT');
      manager.records.push('{"parameter_id": 0, "parameters": {}}');
      const bareMs = bareStartMs();
      const started = performance.now();
      const trial = spawn(process.execPath, ['dist/cli/main.js', 'trial', '--config', 'nowhere'], {
        env: {
          ...process.env,
          NNI_PLATFORM: 'remote',
          NNI_EXP_ID: 'exp',
          NNI_TRIAL_JOB_ID: 'abcde',
          NNI_SYS_DIR: folder,
          NNI_OUTPUT_DIR: folder,
          NNI_TRIAL_COMMAND_CHANNEL: manager.urlOf('abcde'),
        },
      });
      const ended = once(trial, 'exit');
      while (manager.countOf('PUT') === before && trial.exitCode === null) await sleep(1);
      times.push(performance.now() - started - bareMs);
      assert.deepEqual(await ended, [1, null], 'the config does not exist');
      assert.equal(manager.countOf('PUT'), before + 1);
    }
    assert.ok(median(times) < LIMIT_MS, `median of ${times.map(Math.round).join(', ')} ms`);
    assert.match(readFileSync(join(folder, 'trial.log'), 'utf8'), /FILE_UNREADABLE/);
  });
});
