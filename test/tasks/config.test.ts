import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialError, type ErrorCode } from '../../src/foundation/errors.ts';
import { applyParameters, checkPrior, parseTrialConfig } from '../../src/tasks/config.ts';
import { shippedSpace } from '../support/spaces.ts';

const YAML = `
# comments are welcome
skeleton: skeletons/net.json
space: ../space.json
data: { path: images }
epochs: 3
batchSize: 64
`;

const WHERE = '/home/user/search/trial.yml';
const config = parseTrialConfig(YAML, WHERE);

function throwsTrialError(act: () => unknown, code: ErrorCode, ...parts: readonly string[]): void {
  assert.throws(act, (thrown: unknown) => {
    assert.ok(thrown instanceof TrialError, String(thrown));
    assert.equal(thrown.code, code);
    for (const part of parts) assert.ok(thrown.message.includes(part), thrown.message);
    return true;
  });
}

describe('parseTrialConfig', () => {
  it('fills in every default that does not depend on other settings', () => {
    assert.deepEqual(config, {
      directory: '/home/user/search',
      version: 1,
      seed: 0,
      task: 'search',
      algorithm: 'cream',
      skeleton: '/home/user/search/skeletons/net.json',
      space: '/home/user/space.json',
      data: {
        path: '/home/user/search/images',
        format: 'auto',
        flip: 'auto',
        jitter: 0,
        erasing: 0,
        cache: '/home/user/search/.cache',
      },
      epochs: 3,
      batchSize: 64,
      initialisation: 'pytorch',
      optimizer: 'adamw',
      schedule: 'linear',
      momentum: 0.9,
      clipNorm: 1,
      admission: 'pareto',
      averaging: 0,
      labelSmoothing: 0.1,
      boardSize: 10,
      matching: 'learned',
      pathsPerStep: 4,
      pathBatch: 'share',
      minMacs: 0,
      minParams: 0,
      calibrationImages: 1000,
      baselinePaths: 25,
      scoreBy: 'crossEntropy',
      selection: {
        paths: 100,
        population: 20,
        generations: 8,
        parents: 10,
        mutations: 10,
        crossovers: 10,
        mutationProbability: 0.1,
      },
      engine: 'native',
      checkpoint: { minutes: 5 },
      rank: { seed: 0 },
    });
  });

  it('reads JSON as it reads YAML', () => {
    const json = {
      skeleton: 'skeletons/net.json',
      space: '../space.json',
      data: { path: 'images' },
      epochs: 3,
      batchSize: 64,
    };
    assert.deepEqual(parseTrialConfig(JSON.stringify(json, null, '\t'), WHERE), config);
  });

  it('leaves absolute paths alone', () => {
    const { data, output } = parseTrialConfig(
      `${YAML}output: out\n`.replace('images', '/data/x'),
      WHERE,
    );
    assert.equal(data.path, '/data/x');
    assert.equal(output, '/home/user/search/out');
  });

  it('lists every violation with its place', () => {
    throwsTrialError(
      () => parseTrialConfig(`${YAML}batchsize: 3\nlr: 0\naccGap: 5\nengine: tpu\n`, WHERE),
      'CONFIG_INVALID',
      WHERE,
      '/: must NOT have additional properties ("batchsize")',
      '/lr: must be > 0',
      '/accGap: must be <= 1',
      '/engine: must be "native", "gpu" or "js" (found ',
    );
    throwsTrialError(() => parseTrialConfig('', WHERE), 'CONFIG_INVALID', '/: must be object');
  });

  it('refuses text that is no YAML, and keys that stand twice', () => {
    throwsTrialError(() => parseTrialConfig('{"epochs": 1', WHERE), 'CONFIG_INVALID', 'line 1');
    throwsTrialError(
      () => parseTrialConfig(`${YAML}epochs: 4\n`, WHERE),
      'CONFIG_INVALID',
      'unique',
    );
  });
});

describe('applyParameters', () => {
  it('puts values at dotted keys, optional ones too, into a new config', () => {
    const before = structuredClone(config);
    const changed = applyParameters(config, { seed: 7, 'data.jitter': 0.4, lr: 0.1 }, []);
    assert.deepEqual(changed, {
      ...config,
      seed: 7,
      lr: 0.1,
      data: { ...config.data, jitter: 0.4 },
    });
    assert.deepEqual(config, before);
    assert.deepEqual(applyParameters(config, {}, ['layer_0']), config);
  });

  it("takes paths from the config's folder", () => {
    const { data } = applyParameters(config, { 'data.path': 'other' }, []);
    assert.equal(data.path, '/home/user/search/other');
  });

  it('refuses labels of the network and says where they belong', () => {
    throwsTrialError(
      () => applyParameters(config, { seed: 1, layer_0: 'identity' }, ['layer_0', 'layer_1']),
      'PARAMETERS_UNEXPECTED',
      '"layer_0"',
      'searchSpace',
    );
  });

  it('refuses keys that no config has, and whole groups', () => {
    for (const key of ['learning_rate', 'data', 'data.', 'data.path.x', '$schema', 'version', '']) {
      throwsTrialError(
        () => applyParameters(config, { [key]: 1 }, []),
        'PARAMETERS_UNEXPECTED',
        `"${key}"`,
        'data.jitter',
      );
    }
  });

  it('lets a tuner name neither another network nor a place to write to', () => {
    for (const key of ['skeleton', 'space', 'data.cache', 'output', 'resumeFrom']) {
      throwsTrialError(
        () => applyParameters(config, { [key]: '../../elsewhere' }, []),
        'PARAMETERS_UNEXPECTED',
        `"${key}"`,
      );
    }
  });

  it('checks values as it checks the file', () => {
    throwsTrialError(
      () => applyParameters(config, { epochs: 2.5, 'data.flip': 'yes' }, []),
      'CONFIG_INVALID',
      "the tuner's parameters",
      '/epochs: must be integer',
      '/data/flip',
    );
  });

  it('lets no key reach a prototype', () => {
    for (const key of ['__proto__', '__proto__.polluted', 'constructor', 'data.__proto__']) {
      const parameters = JSON.parse(`{"${key}": {"polluted": 1}}`) as Record<string, unknown>;
      throwsTrialError(() => applyParameters(config, parameters, []), 'PARAMETERS_UNEXPECTED', key);
    }
    throwsTrialError(
      () => parseTrialConfig(`${YAML}__proto__: { polluted: 1 }\n`, WHERE),
      'CONFIG_INVALID',
      '__proto__',
    );
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });
});

describe('checkPrior', () => {
  const space = shippedSpace('nas-bench-macro');

  it('takes a prior that leaves every block a candidate, and none at all', () => {
    checkPrior(space, undefined);
    checkPrior(space, { mb3_k3: 1 });
  });

  it('refuses unknown names and blocks without a candidate', () => {
    throwsTrialError(
      () => {
        checkPrior(space, { mb3_k7: 1 });
      },
      'CONFIG_INVALID',
      '"mb3_k7"',
    );
    throwsTrialError(
      () => {
        checkPrior(space, { mb3_k3: 0, mb6_k5: 0 });
      },
      'CONFIG_INVALID',
      'label "layer_0"',
    );
  });
});
