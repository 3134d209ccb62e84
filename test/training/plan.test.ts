import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planTraining, type TrainingConfig } from '../../src/training/plan.ts';
import { learningRate } from '../../src/training/schedule.ts';

describe('learningRate', () => {
  it('falls in a straight line from lr0 to 0 and is never negative', () => {
    for (const lr0 of [0.05, 0.5, 1, 2]) {
      assert.equal(learningRate(lr0, 0, 1000), lr0);
      assert.equal(learningRate(lr0, 500, 1000), lr0 / 2);
      assert.equal(learningRate(lr0, 1000, 1000), 0);
      assert.equal(learningRate(lr0, 1001, 1000), 0);
      const rates = Array.from({ length: 1001 }, (_, step) => learningRate(lr0, step, 1000));
      rates.slice(1).forEach((rate, i) => {
        assert.ok(rate < rates[i]! && rate >= 0);
      });
    }
  });
});

describe('planTraining', () => {
  const config: TrainingConfig = {
    seed: 1,
    epochs: 3,
    batchSize: 16,
    momentum: 0.9,
    weightDecay: 0,
  };

  it('scales the learning rate in proportion to the batch', () => {
    const plans = [32, 64, 256].map((batchSize) => planTraining({ ...config, batchSize }, 320));
    const [small, middle, large] = plans.map((plan) => plan.lr);
    assert.equal(middle, 2 * small!);
    assert.equal(large, 4 * middle);
    assert.equal(planTraining({ ...config, batchSize: 128 }, 320).lr, 0.1);
  });

  it('takes what the config says instead of a default', () => {
    const plan = planTraining({ ...config, lr: 0.3, rankingImages: 7, imagesPerEpoch: 64 }, 320);
    assert.deepEqual([plan.lr, plan.rankingImages, plan.stepsPerEpoch], [0.3, 7, 4]);
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
