import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Setting } from '../../../src/algorithms/algorithm.ts';
import { creamOfficial } from '../../../src/algorithms/cream-official/cream-official.ts';
import {
  defaultMetaInterval,
  defaultWarmupEpochs,
  metaRate,
  officialSettings,
} from '../../../src/algorithms/cream-official/settings.ts';
import { learningRate } from '../../../src/training/schedule.ts';
import { ROOT } from '../../support/spaces.ts';
import { tinyConfig, tinyPlan, tinySetting, type TinyChanges } from '../../support/tiny.ts';

/** A setting whose config does not say how many images a probe has. */
function withoutProbe(changes: TinyChanges = {}): Setting {
  const setting = tinySetting(changes);
  const config = { ...setting.config };
  delete config.probeImages;
  return { ...setting, config };
}

describe('the settings of cream-official', () => {
  it('open the board after the share of epochs of the code: 21 of 120', () => {
    assert.deepEqual([1, 2, 6, 10, 24, 120].map(defaultWarmupEpochs), [0, 1, 1, 2, 4, 21]);
  });

  it('update the meta network every 200 steps, in short runs about 50 times', () => {
    const intervals = [1, 100, 525, 3750, 10_000, 150_120].map(defaultMetaInterval);
    assert.deepEqual(intervals, [10, 10, 11, 75, 200, 200]);
  });

  it('let the rate of the meta network fall in a straight line to 0', () => {
    const rates = [0, 25, 100, 101].map((step) => metaRate({ metaLr: 0.4, totalSteps: 100 }, step));
    assert.deepEqual(rates, [0.4, 0.30000000000000004, 0, 0]);
  });

  it('ignore the prior, and keep the budget', () => {
    const { sampling } = officialSettings(tinySetting({ prior: { identity: 1 }, maxMacs: 1e9 }));
    assert.equal(sampling.prior, null);
    assert.equal(sampling.budget.ranges[0]!.max, 1e9);
  });

  it('are the values of the code where the config names none, and are told under its own keys', () => {
    const { settings } = creamOfficial.create(withoutProbe());
    const told = { metaLr: 1e-4, metaInterval: 10, probeImages: 4, warmupEpochs: 1, accGap: 0.05 };
    assert.deepEqual(settings, told);
    for (const key of Object.keys(settings)) assert.ok(creamOfficial.configKeys.includes(key), key);
    const own = { metaLr: 0.7, metaInterval: 3, probeImages: 3, warmupEpochs: 2, accGap: 0.02 };
    assert.deepEqual(creamOfficial.create(tinySetting(own)).settings, own);
  });

  it('refuse a board that never opens, and a batch without two slices', () => {
    const refused: TinyChanges[] = [
      { warmupEpochs: 3, epochs: 3 },
      { probeImages: 9, batchSize: 16 },
    ];
    for (const own of refused) {
      assert.throws(() => creamOfficial.create(tinySetting(own)), { code: 'CONFIG_INVALID' });
    }
    const single = withoutProbe({ batchSize: 1 });
    assert.throws(() => creamOfficial.create(single), { code: 'CONFIG_INVALID' });
    assert.equal(officialSettings(tinySetting({ probeImages: 8 })).probeImages, 8);
    assert.equal(officialSettings(withoutProbe({ batchSize: 3 })).probeImages, 1);
  });
});

describe('the official recipe of docs/training.md', () => {
  const page = readFileSync(`${ROOT}/docs/training.md`, 'utf8');
  const recipe = JSON.parse(/```json\n([^]*?)```/.exec(page)![1]!) as TinyChanges;

  it('is a config of cream-official without warm-up and clipping', () => {
    const config = tinyConfig(recipe);
    assert.equal(config.algorithm, 'cream-official');
    const { rate, optimizer } = tinyPlan(recipe);
    assert.equal(optimizer.clipNorm, Infinity);
    assert.deepEqual(optimizer.slots.map(({ name }) => name), ['velocity']); // prettier-ignore
    assert.equal(learningRate(rate.lr, 0, rate), rate.lr);
    assert.equal(learningRate(rate.lr, rate.totalSteps / 2, rate), rate.lr / 2);
  });

  it('has the rate of the code, 1 for a batch of 1,024, in proportion to its batch', () => {
    const { lr, batchSize } = tinyConfig(recipe);
    assert.equal(lr, batchSize / 1024);
  });
});
