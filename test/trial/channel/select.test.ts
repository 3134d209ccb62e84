import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemTimers as timers } from '../../../src/cli/system.ts';
import { selectChannel } from '../../../src/trial/channel/select.ts';
import { readEnvironment } from '../../../src/trial/environment.ts';
import { FakeManager, trialJob } from '../../support/fake-manager.ts';
import { metricOf, RECORD, RECORD_TEXT, recordingLogger, TRIAL_ID } from '../../support/nni.ts';

const BASE = {
  NNI_EXP_ID: 'e',
  NNI_TRIAL_JOB_ID: TRIAL_ID,
  NNI_OUTPUT_DIR: '/o',
  NNI_SYS_DIR: '/o',
};
const stdout = {
  write: (): never => {
    throw new Error('nothing may be written');
  },
};

describe('selectChannel', () => {
  it('makes the channel that the environment names', async () => {
    const cases = [
      [{ NNI_TRIAL_COMMAND_CHANNEL: 'http://127.0.0.1:9/env/a/b' }, 'HttpChannel'],
      [{ NNI_TRIAL_COMMAND_CHANNEL: 'ws://127.0.0.1:9/' }, 'WebSocketChannel'],
      [{ NNI_PLATFORM: 'local' }, 'FileChannel'],
      [{ NNI_PLATFORM: 'remote' }, 'StdoutChannel'],
      [{}, 'StandaloneChannel'],
    ] as const;
    for (const [variables, name] of cases) {
      const environment = readEnvironment({ ...BASE, ...variables });
      const channel = await selectChannel(environment, {
        logger: recordingLogger(),
        stdout,
        timers,
      });
      assert.equal(channel.constructor.name, name);
    }
  });

  it('looks the own record up on platform local only', async () => {
    const manager = await FakeManager.start();
    manager.trialJobs.set(TRIAL_ID, [trialJob('{"parameter_id":9,"parameters":{}}')]);
    const received = [];
    for (const NNI_PLATFORM of ['local', 'remote']) {
      manager.records.push(RECORD_TEXT);
      const NNI_TRIAL_COMMAND_CHANNEL = manager.urlOf(TRIAL_ID);
      const environment = readEnvironment({ ...BASE, NNI_PLATFORM, NNI_TRIAL_COMMAND_CHANNEL });
      const channel = await selectChannel(environment, {
        logger: recordingLogger(),
        stdout,
        timers,
      });
      received.push((await channel.receiveParameters()).parameterId);
    }
    await manager.stop();
    assert.deepEqual(received, [9, RECORD.parameterId]);
  });

  it('stands alone without NNI: no parameters, metrics to the log only', async () => {
    const logger = recordingLogger();
    const channel = await selectChannel(readEnvironment({}), { logger, stdout, timers });
    assert.deepEqual(await channel.receiveParameters(), { parameterId: null, parameters: {} });
    await channel.sendMetric(metricOf(1));
    await channel.sendMetric(metricOf(0, { type: 'FINAL' }));
    await channel.close();
    assert.deepEqual(logger.lines, [
      'info Intermediate result: {"default": 0.5}  (Index 1)',
      'info Final result: {"default": 0.5}',
    ]);
  });
});
