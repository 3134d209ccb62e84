import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FakeManager } from '../support/fake-manager.ts';

/** In starts of a bare Node: 3 were measured, and 6 with the search's modules loaded before. */
const LIMIT = 4;
const STARTS = 5;

/** How long an empty program takes: what the machine, and its load, are to blame for. */
function bareStartMs(): number {
  const started = performance.now();
  spawnSync(process.execPath, ['-e', '']);
  return performance.now() - started;
}

describe('nni-cream trial', () => {
  it('asks for its parameters before anything slow, and only once', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-trial-'));
    const manager = await FakeManager.start();
    t.after(async () => {
      await manager.stop();
      rmSync(folder, { recursive: true });
    });
    const times: number[] = [];
    const bareTimes: number[] = [];
    for (let i = 0; i < STARTS; i++) {
      const before = manager.countOf('PUT');
      manager.records.push('{"parameter_id": 0, "parameters": {}}');
      bareTimes.push(bareStartMs());
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
      const said = text(trial.stderr);
      while (manager.countOf('PUT') === before && trial.exitCode === null) await sleep(1);
      times.push(performance.now() - started);
      assert.deepEqual(await ended, [1, null], 'the config does not exist');
      assert.equal((await said).match(/FILE_UNREADABLE/g)?.length, 1, 'told once');
      assert.equal(manager.countOf('PUT'), before + 1);
    }
    // The quickest of each: what other programs take of the machine only makes it slower.
    const starts = Math.min(...times) / Math.min(...bareTimes);
    assert.ok(starts < LIMIT, `asked after the time of ${starts} starts of Node`);
    const log = readFileSync(join(folder, 'trial.log'), 'utf8');
    assert.equal(log.match(/ERROR .* FILE_UNREADABLE/g)?.length, STARTS, 'once a trial');
  });
});
