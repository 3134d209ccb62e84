/** A whole search whose metrics NNI does not take, and what becomes of them. Needs `npm run build`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Metric } from '../../src/generated/nni-message.ts';
import { folderStatus } from '../../src/trial/folder-status.ts';
import { METRICS_FILE, readUndelivered, UNDELIVERED_FILE } from '../../src/trial/outbox.ts';
import { writeTinySearch } from '../e2e/support.ts';
import { FakeManager } from '../support/fake-manager.ts';
import { TRIAL_ID } from '../support/nni.ts';
import { ROOT } from '../support/spaces.ts';

const EPOCHS = 2;
/** Those of the epochs, and the final one. */
const METRICS = EPOCHS + 1;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function command(args: readonly string[], variables: object = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['dist/cli/main.js', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

it(
  'a search whose manager shut the channel ends with its files and code 3; replay delivers',
  { timeout: 120_000 },
  async (t) => {
    const { folder, config } = await writeTinySearch({ epochs: EPOCHS });
    const output = join(folder, 'out');
    const [shut, good] = [await FakeManager.start(), await FakeManager.start()];
    t.after(async () => {
      await Promise.all([shut.stop(), good.stop(), rm(folder, { recursive: true })]);
    });
    shut.records.push('{"parameter_id": 0, "parameters": {}}');
    const running = command(['trial', '--config', config], {
      NNI_PLATFORM: 'remote',
      NNI_EXP_ID: 'exp',
      NNI_TRIAL_JOB_ID: TRIAL_ID,
      NNI_SYS_DIR: output,
      NNI_OUTPUT_DIR: output,
      NNI_TRIAL_COMMAND_CHANNEL: shut.urlOf(TRIAL_ID),
    });
    while (shut.countOf('GET') === 0) await sleep(1);
    shut.fail('PUT', { status: 410 });
    const trial = await running;
    assert.equal(trial.code, 3, trial.stderr);
    assert.match(trial.stderr, /error METRICS_UNDELIVERED: .*nni-cream replay/);
    assert.deepEqual(shut.metrics, []);
    assert.equal((await readUndelivered(output)).length, METRICS);
    const { state, next } = await folderStatus(output);
    assert.deepEqual([state, next], ['finished', `nni-cream replay ${output}`]);

    const replayed = await command(['replay', output, '--url', `http://127.0.0.1:${good.port}`]);
    assert.equal(replayed.code, 0, replayed.stderr);
    assert.equal(replayed.stdout, `NNI has ${METRICS} more metrics\n`);
    assert.equal(existsSync(join(output, UNDELIVERED_FILE)), false);
    const record = await readFile(join(output, METRICS_FILE), 'utf8');
    const recorded = record.trimEnd().split('\n');
    assert.deepEqual(
      good.metrics.map((metric) => JSON.parse(metric) as Metric),
      recorded.map((line) => JSON.parse(line) as Metric),
    );
    assert.equal(recorded.length, METRICS);
  },
);
