import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../src/foundation/rng.ts';
import { OPEN_BUDGET } from '../../src/searchspace/budget.ts';
import { samplePath } from '../../src/searchspace/sampler.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import {
  parseJson,
  asObject,
  metricKey,
  parseParameterRecord,
  recordOfCommand,
} from '../../src/trial/channel/channel.ts';
import { metricFrame } from '../../src/trial/channel/file.ts';
import { planSearch, samplingOf } from '../../src/tasks/search-plan.ts';
import { applyParameters, parseTrialConfig } from '../../src/tasks/config.ts';
import type { TrialConfig } from '../../src/tasks/config.ts';
import { parseDocument } from '../../src/foundation/documents.ts';
import { readEnvironment } from '../../src/trial/environment.ts';
import { parseMetric } from '../../src/trial/metric.ts';
import { parseResult } from '../../src/run-folder/result.ts';
import { shippedSpace } from '../support/spaces.ts';
import { documents, garbage, texts, values } from './inputs.ts';
import { checkProperty, checkShares } from './property.ts';

const WHERE = '/home/user/search/trial.yml';
const space = shippedSpace('nas-bench-macro');

const shortConfig = {
  skeleton: 'skeletons/net.json',
  space: '../space.json',
  data: { path: 'images' },
  epochs: 3,
  batchSize: 64,
};

const longConfig = {
  ...shortConfig,
  $schema: '../schema.json',
  version: 1,
  seed: 7,
  data: { path: 'images', format: 'idx', flip: false, jitter: 0.4, erasing: 0.1, maxImages: 9000, cache: 'c' }, // prettier-ignore
  imagesPerEpoch: 1000,
  lr: 0.1,
  boardSize: 5,
  minMacs: 1e6,
  maxMacs: 1e9,
  prior: { identity: 1, mb3_k3: 2, mb6_k5: 0 },
  checkpoint: { steps: 100 },
  output: 'result',
};

/** What a search does with its numbers before it opens the images. */
function useConfig(config: TrialConfig, network: SearchSpace): void {
  const counts = { classes: Array(network.classes), trainImages: 1_000_000 };
  const { plan, algorithm } = planSearch(config, network, counts);
  assert.ok(Number.isSafeInteger(plan.totalSteps) && plan.totalSteps > 0);
  assert.ok(Number.isFinite(plan.rate.lr) && Number.isFinite(algorithm.savedNumbers));
  if (config.algorithm === 'cream') assert.ok((algorithm.settings['metaInterval'] as number) >= 1);
  const options = { ...samplingOf(config, network), budget: OPEN_BUDGET };
  const path = samplePath(network, options, createRng({ seed: config.seed, stream: '', step: 0 }));
  assert.ok(pathCost(network, path).macs > 0);
}

describe('hostile trial configs', () => {
  it('make a plan, or are refused', () => {
    const outcomes = checkProperty({
      inputs: texts(documents(fc.constantFrom<unknown>(shortConfig, longConfig))),
      cases: 1500,
      codes: ['CONFIG_INVALID', 'DATA_INVALID'],
      attempt: (text) => {
        const config = parseTrialConfig(text, WHERE);
        assert.deepEqual(parseTrialConfig(JSON.stringify(withoutDirectory(config)), WHERE), config);
        useConfig(config, space);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

function withoutDirectory({ directory: _, ...file }: TrialConfig): object {
  return file;
}

describe('hostile parameters of a tuner', () => {
  const config = parseTrialConfig(JSON.stringify(longConfig), WHERE);
  const records = [
    { parameter_id: 0, parameters: { seed: 1 }, parameter_source: 'algorithm', parameter_index: 0 },
    { parameter_id: null, parameters: { 'data.jitter': 0.5, lr: 0.2, 'checkpoint.minutes': 1 } },
    { parameter_id: 3, parameters: { output: '/etc', 'data.cache': '../..', resumeFrom: '/' } },
    { parameter_id: 4, parameters: { layer_0: 'identity' } },
  ];
  const codes = [
    'CHANNEL_FAILED',
    'PARAMETERS_UNEXPECTED',
    'CONFIG_INVALID',
    'DATA_INVALID',
  ] as const;
  const labels = space.choices.map(({ name }) => name);

  it('change numbers of the search and no place that it writes to, or are refused', () => {
    const outcomes = checkProperty({
      inputs: texts(documents(fc.constantFrom<unknown>(...records)), ['json', 'pretty']),
      cases: 1500,
      codes,
      attempt: (text) => {
        const { parameters } = parseParameterRecord(text, 'the record');
        const changed = applyParameters(config, parameters, labels);
        assert.equal(changed.output, config.output);
        assert.equal(changed.resumeFrom, config.resumeFrom);
        assert.equal(changed.data.cache, config.data.cache);
        assert.equal(changed.skeleton, config.skeleton);
        useConfig(changed, space);
      },
    });
    checkShares(outcomes, 0.1);
  });

  it('inside a command of the manager are found, or refused', () => {
    const commands = records.map((record) => {
      return { type: 'parameter', parameter: JSON.stringify(record) };
    });
    const outcomes = checkProperty({
      inputs: texts(documents(fc.constantFrom<unknown>(...commands)), ['json']),
      cases: 500,
      codes,
      attempt: (text) => {
        const record = recordOfCommand(asObject(parseJson(text, 'channel')), 'channel');
        assert.ok(asObject(record.parameters) !== null);
      },
    });
    checkShares(outcomes, 0.1);
  });

  it('come with an id that cannot lead to another address, or end the trial', () => {
    const id = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'Z', '0', '9', '_', '-'), minLength: 1 }),
      fc.constantFrom('..', '../x', 'a/b', 'a%2fb', '', '?', '#', 'a\n'),
      garbage,
    );
    const outcomes = checkProperty({
      inputs: id,
      cases: 300,
      codes: ['ENVIRONMENT_UNSUPPORTED'],
      attempt: (trialId) => {
        const { trialJobId } = readEnvironment({
          NNI_PLATFORM: 'local',
          NNI_EXP_ID: 'e',
          NNI_TRIAL_JOB_ID: trialId,
          NNI_SYS_DIR: '/tmp',
          NNI_OUTPUT_DIR: '/tmp',
        });
        assert.equal(
          new URL(`http://h/trial-jobs/${trialJobId}`).pathname,
          `/trial-jobs/${trialId}`,
        );
      },
    });
    checkShares(outcomes, 0.1);
  });
});

const result = {
  format: 'nni-cream-result/2',
  algorithm: 'cream',
  objective: { metric: 'top1', mode: 'maximize' },
  space: {
    name: 'net',
    labels: 2,
    sha256: 'a'.repeat(64),
    macs: { min: 0, max: null, counting: 'conv+linear MACs' },
  },
  best: { sample: { a: 'x', b: 'y' }, path: 'x y', score: 0.5, crossEntropy: 0.7, macs: 10, params: 10 }, // prettier-ignore
  selection: { strategy: 'board', scoreBy: 'crossEntropy', scored: 1, ties: ['x x'], withinNoise: ['x x', 'y y'] }, // prettier-ignore
  confirmation: { images: 40, accuracy: 0.5, crossEntropy: 0.7 },
  verdict: { betterThanRandom: 'no', difference: 0.1, standardError: 0.1, errorOfImages: 0.1, errorOfPaths: 0, standardErrors: 1 }, // prettier-ignore
  ranking: [{ rank: 1, score: 0.5, crossEntropy: 0.7, macs: 10, params: 10, path: 'x y' }],
  board: [
    { rank: 1, score: 0.5, miniSetTop1: 0.5, miniSetCrossEntropy: 0.7, macs: 10, params: 10, epoch: 0, sample: { a: 'x', b: 'y' }, path: 'x y' }, // prettier-ignore
  ],
  baselines: { randomPaths: { n: 1, mean: 0.4, standardError: 0, max: 0.4 } },
  testAccuracy: null,
  normalisation: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  data: { path: '/d', classes: ['__proto__'], trainImages: 1, boardImages: 1, metaImages: 1, rankingImages: 1, confirmationImages: 1, testImages: 0, skipped: [{ name: 'a', reason: 'b' }] }, // prettier-ignore
  feasibility: { smallestMacs: 1, largestMacs: 10, share: 1, shareInterval: [1, 1], exact: true },
  activity: { boardOpenedAtEpoch: 1, admissions: 1, metaSteps: 1, phiChange: 0.1, lessons: 1, rhoMin: 0, rhoMax: 1, rhoMean: 0.5 }, // prettier-ignore
  costShares: { evaluation: 0.1, dataWait: 0.1 },
  provenance: { seed: 0, epochs: 2, trialId: 'a', experimentId: 'b', versions: { node: '20' } },
};

describe('hostile results', () => {
  it('are read, or refused', () => {
    const outcomes = checkProperty({
      inputs: texts(documents(fc.constant<unknown>(result))),
      cases: 700,
      codes: ['ARCHITECTURE_INVALID'],
      attempt: (text) => {
        const document = parseDocument(text, 'result.json', 'ARCHITECTURE_INVALID');
        assert.deepEqual(parseResult(document, 'result.json'), document);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

describe('hostile metrics of a folder', () => {
  const metric = {
    parameter_id: 0,
    trial_job_id: 'aBc12',
    type: 'PERIODICAL',
    sequence: 3,
    value: '{"default":0.5}',
  };

  it('can be sent, or are refused', () => {
    const outcomes = checkProperty({
      inputs: texts(documents(fc.constant<unknown>(metric)), ['json']),
      cases: 500,
      codes: ['CHANNEL_FAILED', 'METRIC_INVALID'],
      attempt: (text) => {
        const read = parseMetric(parseJson(text, 'line'), 'line');
        assert.match(metricKey(read), /^(PERIODICAL|FINAL)\W?\d/);
        assert.ok(metricFrame(read).length > 0);
      },
    });
    checkShares(outcomes, 0.1);
  });
});

describe('texts', () => {
  it('of any kind are parsed to plain data, or refused', () => {
    const outcomes = checkProperty({
      inputs: fc.oneof(garbage, texts(values)),
      cases: 500,
      codes: ['CONFIG_INVALID'],
      attempt: (text) => {
        const document = parseDocument(text, 'text', 'CONFIG_INVALID');
        assert.equal(Reflect.get({}, 'polluted'), undefined);
        JSON.stringify(document);
      },
    });
    checkShares(outcomes, 0.1);
  });
});
