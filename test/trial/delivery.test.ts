/** A whole search whose metrics NNI does not take, and what becomes of them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import { metricKey } from '../../src/trial/channel/channel.ts';
import { folderStatus } from '../../src/run-folder/status.ts';
import { readHistory, UNDELIVERED_FILE } from '../../src/run-folder/history.ts';
import { toWire } from '../../src/trial/metric.ts';
import { readUndelivered } from '../../src/trial/outbox.ts';
import { writeTinySearch } from '../e2e/support.ts';
import { runCli, startCli, type StartedCli, until } from '../support/command.ts';
import { FakeManager } from '../support/fake-manager.ts';
import { TRIAL_ID } from '../support/nni.ts';

const EPOCHS = 2;
/** Those of the epochs, and the final one. */
const METRICS = EPOCHS + 1;

/** A trial of a manager whose database cannot be asked. */
const trialOf = (config: string, output: string, manager: FakeManager): StartedCli =>
  startCli(['trial', '--config', config], {
    env: {
      NNI_PLATFORM: 'remote',
      NNI_EXP_ID: 'exp',
      NNI_TRIAL_JOB_ID: TRIAL_ID,
      NNI_SYS_DIR: output,
      NNI_OUTPUT_DIR: output,
      NNI_TRIAL_COMMAND_CHANNEL: manager.urlOf(TRIAL_ID),
    },
  });

const RECORD = '{"parameter_id": 0, "parameters": {}}';

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
    shut.records.push(RECORD);
    const { ended, child } = trialOf(config, output, shut);
    await until(() => shut.countOf('GET') > 0, { child });
    shut.fail('PUT', { status: 410 });
    const trial = await ended;
    assert.equal(trial.code, 3, trial.stderr);
    assert.match(trial.stderr, /error METRICS_UNDELIVERED: .*nni-cream replay/);
    assert.deepEqual(shut.metrics, []);
    assert.equal((await readUndelivered(output)).length, METRICS);
    const { state, next } = await folderStatus(output);
    assert.deepEqual([state, next], ['finished', `nni-cream replay ${output}`]);

    const replayed = await runCli(['replay', output, '--url', `http://127.0.0.1:${good.port}`]);
    assert.equal(replayed.code, 0, replayed.stderr);
    assert.equal(replayed.stdout, `NNI has ${METRICS} more metrics\n`);
    assert.equal(existsSync(join(output, UNDELIVERED_FILE)), false);
    const recorded = await readHistory(output);
    assert.deepEqual(
      good.metrics.map((metric) => JSON.parse(metric) as Metric),
      recorded.map(toWire),
    );
    assert.equal(recorded.length, METRICS);
  },
);

it(
  'a trial whose search went on without NNI, after a stop, gives NNI all of its metrics',
  { timeout: 120_000 },
  async (t) => {
    const epochs = 40;
    const { folder, config } = await writeTinySearch({ epochs });
    const output = join(folder, 'out');
    const manager = await FakeManager.start();
    t.after(async () => {
      await Promise.all([manager.stop(), rm(folder, { recursive: true })]);
    });
    manager.records.push(RECORD, RECORD);
    const first = trialOf(config, output, manager);
    // Of a metric that the end cuts off, this manager cannot tell whether it has it.
    const isDelivered = (): boolean =>
      manager.metrics.length > 0 && !existsSync(join(output, UNDELIVERED_FILE));
    await until(isDelivered, { child: first.child });
    first.child.kill('SIGTERM');
    await first.ended;
    const before = manager.metrics.length;
    assert.ok(before < epochs);
    const alone = await runCli(['resume', output]);
    assert.equal(alone.code, 0, alone.stderr);
    assert.equal(manager.metrics.length, before);
    const last = await trialOf(config, output, manager).ended;
    assert.equal(last.code, 0, last.stderr);
    const keys = manager.metrics.map((metric) => metricKey(JSON.parse(metric) as Metric));
    const periodical = Array.from({ length: epochs }, (_, epoch) => `PERIODICAL/${epoch}`);
    assert.deepEqual(keys, [...periodical, 'FINAL/0']);
  },
);
