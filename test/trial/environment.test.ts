import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readEnvironment } from '../../src/trial/environment.ts';

const BASE = {
  NNI_EXP_ID: 'obafuvkh',
  NNI_TRIAL_JOB_ID: 'RNssq',
  NNI_TRIAL_SEQ_ID: '3',
  NNI_SYS_DIR: '/exp/trials/RNssq',
  NNI_OUTPUT_DIR: '/exp/trials/RNssq/out',
};
const URL_3 = 'http://localhost:8080/env/local-env/RNssq';
const FILES = { systemDirectory: BASE.NNI_SYS_DIR };

describe('readEnvironment chooses the channel in the order of NNI', () => {
  const cases = [
    [
      { NNI_PLATFORM: 'local', NNI_TRIAL_COMMAND_CHANNEL: URL_3 },
      { kind: 'http', url: URL_3 },
    ],
    [{ NNI_TRIAL_COMMAND_CHANNEL: URL_3 }, { kind: 'http', url: URL_3 }],
    [
      { NNI_PLATFORM: 'local', NNI_TRIAL_COMMAND_CHANNEL: 'ws://h:1/x' },
      { kind: 'websocket', url: 'ws://h:1/x' },
    ],
    [{ NNI_PLATFORM: 'local' }, { kind: 'file', ...FILES }],
    [
      { NNI_PLATFORM: 'local', NNI_TRIAL_COMMAND_CHANNEL: '' },
      { kind: 'file', ...FILES },
    ],
    [
      { NNI_PLATFORM: 'local', REUSE_MODE: 'false' },
      { kind: 'file', ...FILES },
    ],
    [{ NNI_PLATFORM: 'remote' }, { kind: 'stdout', ...FILES }],
    [{ NNI_PLATFORM: 'kubeflow' }, { kind: 'stdout', ...FILES }],
    [
      { NNI_PLATFORM: 'local', REUSE_MODE: 'true' },
      { kind: 'stdout', ...FILES },
    ],
    [
      { NNI_PLATFORM: 'local', REUSE_MODE: 'True' },
      { kind: 'stdout', ...FILES },
    ],
    [{ NNI_PLATFORM: 'unittest' }, { kind: 'standalone' }],
    [{}, { kind: 'standalone' }],
  ] as const;
  for (const [variables, channel] of cases) {
    it(`${JSON.stringify(variables)} means ${channel.kind}`, () => {
      assert.deepEqual(readEnvironment({ ...BASE, ...variables }).channel, channel);
    });
  }
});

describe('readEnvironment', () => {
  it('names what NNI says', () => {
    assert.deepEqual(readEnvironment({ ...BASE, NNI_PLATFORM: 'local' }), {
      channel: { kind: 'file', ...FILES },
      platform: 'local',
      experimentId: 'obafuvkh',
      trialJobId: 'RNssq',
      sequenceId: 3,
      outputDirectory: '/exp/trials/RNssq/out',
    });
  });

  it('is standalone, with its fixed ids, in an empty environment', () => {
    assert.deepEqual(readEnvironment({}), {
      channel: { kind: 'standalone' },
      platform: null,
      experimentId: 'STANDALONE',
      trialJobId: 'STANDALONE',
      sequenceId: 0,
      outputDirectory: null,
    });
  });

  it('refuses a Python class as a channel and says why', () => {
    const variables = { ...BASE, NNI_TRIAL_COMMAND_CHANNEL: 'import://pkg.Channel' };
    assert.throws(() => readEnvironment(variables), {
      code: 'ENVIRONMENT_UNSUPPORTED',
      message: /import:\/\/pkg\.Channel.*Python class/,
    });
  });

  it('refuses any other address', () => {
    for (const url of ['https://h/env/x', 'ftp://h', 'localhost:8080', 'http://']) {
      const variables = { ...BASE, NNI_TRIAL_COMMAND_CHANNEL: url };
      assert.throws(() => readEnvironment(variables), { code: 'ENVIRONMENT_UNSUPPORTED' });
    }
  });

  it('names the variable that the channel needs and NNI did not set', () => {
    for (const name of ['NNI_TRIAL_JOB_ID', 'NNI_SYS_DIR', 'NNI_OUTPUT_DIR', 'NNI_EXP_ID']) {
      const variables = { ...BASE, NNI_PLATFORM: 'local', [name]: undefined };
      assert.throws(() => readEnvironment(variables), {
        code: 'ENVIRONMENT_UNSUPPORTED',
        message: new RegExp(`^${name}: `),
      });
    }
  });
});
