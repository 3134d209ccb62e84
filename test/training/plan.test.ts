import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planTraining, type TrainingConfig } from '../../src/training/plan.ts';
import {
  defaultWarmupSteps,
  learningRate,
  type RateSchedule,
} from '../../src/training/schedule.ts';

describe('learningRate', () => {
  const linear: RateSchedule = { shape: 'linear', warmupSteps: 0, totalSteps: 1000 };
  const ratesOf = (lr0: number, schedule: RateSchedule): number[] =>
    Array.from({ length: schedule.totalSteps + 1 }, (_, step) => learningRate(lr0, step, schedule));

  it('falls in a straight line from lr0 to 0 and is never negative', () => {
    for (const lr0 of [0.05, 0.5, 1, 2]) {
      assert.equal(learningRate(lr0, 0, linear), lr0);
      assert.equal(learningRate(lr0, 500, linear), lr0 / 2);
      assert.equal(learningRate(lr0, 1000, linear), 0);
      assert.equal(learningRate(lr0, 1001, linear), 0);
      const rates = ratesOf(lr0, linear);
      rates.slice(1).forEach((rate, i) => {
        assert.ok(rate < rates[i]! && rate >= 0);
      });
    }
  });

  it('falls along half a cosine: half way at the middle, slowly at both ends', () => {
    const cosine: RateSchedule = { ...linear, shape: 'cosine' };
    assert.equal(learningRate(2, 0, cosine), 2);
    assert.ok(Math.abs(learningRate(2, 500, cosine) - 1) < 1e-12);
    assert.ok(Math.abs(learningRate(2, 250, cosine) - (1 + Math.SQRT1_2)) < 1e-12);
    assert.equal(learningRate(2, 1000, cosine), 0);
  });

  it('grows to lr0 over the warm-up, and falls to 0 over the rest', () => {
    for (const shape of ['linear', 'cosine'] as const) {
      const schedule = { shape, warmupSteps: 4, totalSteps: 12 };
      const rates = ratesOf(1, schedule);
      assert.deepEqual(rates.slice(0, 5), [0.2, 0.4, 0.6, 0.8, 1]);
      rates.slice(5).forEach((rate, i) => {
        assert.ok(rate < rates[i + 4]!);
      });
      assert.equal(rates.at(-1), 0);
    }
  });

  it('warms up in a tenth of the run, at most 100 steps', () => {
    assert.deepEqual([9, 10, 312, 5000].map(defaultWarmupSteps), [0, 1, 31, 100]);
  });
});

describe('planTraining', () => {
  const config: TrainingConfig = {
    seed: 1,
    epochs: 3,
    batchSize: 16,
    optimizer: 'sgd',
    schedule: 'linear',
    momentum: 0.9,
    clipNorm: 1,
    averaging: 0,
  };

  it('scales the learning rate in proportion to the batch', () => {
    const plans = [32, 64, 256].map((batchSize) => planTraining({ ...config, batchSize }, 320));
    const [small, middle, large] = plans.map((plan) => plan.rate.lr);
    assert.equal(middle, 2 * small!);
    assert.equal(large, 4 * middle);
    assert.equal(planTraining({ ...config, batchSize: 128 }, 320).rate.lr, 0.2);
  });

  it('has a rate and a weight decay for each optimizer, and a limit of the gradient', () => {
    const plans = (['sgd', 'adamw'] as const).map((optimizer) =>
      planTraining({ ...config, optimizer, batchSize: 128 }, 320),
    );
    assert.deepEqual(
      plans.map(({ rate, optimizer }) => [rate.lr, optimizer.weightDecay, optimizer.clipNorm]),
      [
        [0.2, 0.0001, 1],
        [0.003, 0.01, 1],
      ],
    );
    assert.equal(planTraining({ ...config, clipNorm: 0 }, 320).optimizer.clipNorm, Infinity);
  });

  it('refuses a warm-up that takes all steps', () => {
    assert.throws(() => planTraining({ ...config, warmupSteps: 60 }, 320), {
      code: 'CONFIG_INVALID',
      message: /warmupSteps.*fewer than the 60 steps/,
    });
  });

  it('takes what the config says instead of a default', () => {
    const plan = planTraining({ ...config, lr: 0.3, rankingImages: 7, imagesPerEpoch: 64 }, 320);
    assert.deepEqual([plan.rate.lr, plan.rankingImages, plan.stepsPerEpoch], [0.3, 7, 4]);
  });

  it('without limits takes all training images in an epoch, and the whole ranking part', () => {
    const { rankingImages, stepsPerEpoch } = planTraining(config, 320);
    assert.deepEqual({ rankingImages, stepsPerEpoch }, { rankingImages: Infinity, stepsPerEpoch: 20 }); // prettier-ignore
  });

  it('counts whole batches only, and at least one an epoch', () => {
    const plan = planTraining({ ...config, imagesPerEpoch: 100, batchSize: 16, epochs: 2 }, 320);
    assert.equal(plan.stepsPerEpoch, 6);
    assert.equal(plan.totalSteps, 12);
    assert.equal(planTraining({ ...config, imagesPerEpoch: 5 }, 320).stepsPerEpoch, 1);
  });
});
