import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planSearch } from '../../src/training/plan.ts';
import { defaultMetaInterval, learningRate } from '../../src/training/schedule.ts';
import { canAfford } from '../../src/algorithms/cream/admission.ts';
import { tinySettings } from '../support/tiny.ts';

describe('learningRate', () => {
  it('case 14: falls in a straight line from lr0 to 0 and is never negative', () => {
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

describe('planSearch', () => {
  const { lr, ...settings } = tinySettings;

  it('opens the board after the share of epochs that Cream used: 21 of 120, at least one', () => {
    const warmups = [2, 3, 6, 9, 10, 120].map(
      (epochs) => planSearch({ ...settings, epochs }, 256).warmupEpochs,
    );
    assert.deepEqual(warmups, [1, 1, 1, 2, 2, 21]);
  });

  it('takes about 50 meta steps in a run, 10 to 200 global steps apart', () => {
    const intervals = [1, 100, 500, 525, 5000, 10_000, 150_120].map(defaultMetaInterval);
    assert.deepEqual(intervals, [10, 10, 10, 11, 100, 200, 200]);
    const plan = planSearch({ ...settings, epochs: 10, imagesPerEpoch: 16_000 }, 256);
    assert.equal(plan.totalSteps, 10_000);
    assert.equal(plan.metaInterval, 200);
  });

  it('scales the learning rate in proportion to the batch and leaves the meta rate alone', () => {
    const plans = [32, 64, 256].map((batchSize) => planSearch({ ...settings, batchSize }, 256));
    const [small, middle, large] = plans.map((plan) => plan.lr);
    assert.equal(middle, 2 * small!);
    assert.equal(large, 4 * middle);
    assert.equal(new Set(plans.map(({ metaLr }) => metaLr)).size, 1);
  });

  it('takes what the settings say instead of a default', () => {
    const own = { lr: 0.3, metaLr: 0.7, metaInterval: 3, warmupEpochs: 2, accGap: 0.02 };
    const plan = planSearch({ ...settings, ...own, maxMacs: 9, rankingImages: 7 }, 256);
    const { gapAt, ...rest } = plan;
    assert.deepEqual(
      { ...own, ...rest },
      { ...rest, lr: 0.3, metaLr: 0.7, metaInterval: 3, warmupEpochs: 2, accGap: 0.02 },
    );
    assert.equal(gapAt(0.5), 0.02);
    assert.equal(rest.maxMacs, 9);
    assert.equal(rest.rankingImages, 7);
  });

  it('without limits any cost, any prior and the whole ranking part are allowed', () => {
    const { maxMacs, prior, rankingImages } = planSearch(settings, 256);
    assert.deepEqual({ maxMacs, prior, rankingImages }, { maxMacs: Infinity, prior: null, rankingImages: Infinity }); // prettier-ignore
  });

  it('refuses numbers that would leave Cream inert or a batch too small', () => {
    const refused = [{ epochs: 1 }, { warmupEpochs: 99, epochs: 99 }, { probeImages: 33, batchSize: 32 }, { metaImages: 33, batchSize: 32 }]; // prettier-ignore
    for (const own of refused) {
      assert.throws(() => planSearch({ ...settings, ...own }, 256), { code: 'CONFIG_INVALID' });
    }
  });

  it('counts whole batches only, and at least one an epoch', () => {
    const plan = planSearch({ ...settings, imagesPerEpoch: 100, batchSize: 16, epochs: 2 }, 256);
    assert.equal(plan.stepsPerEpoch, 6);
    assert.equal(plan.totalSteps, 12);
    assert.equal(planSearch({ ...settings, imagesPerEpoch: 5 }, 256).stepsPerEpoch, 1);
  });

  it('case 18: the default gap is above three standard errors of the mini-set', () => {
    const { gapAt } = planSearch(settings, 256);
    for (const p of [0.1, 0.4, 0.5, 0.9]) {
      assert.ok(gapAt(p) >= 3 * Math.sqrt((p * (1 - p)) / 256));
      assert.ok(gapAt(p) >= 0.05);
    }
    assert.equal(lr, 0.05);
  });
});

describe('canAfford', () => {
  it('case 8: keeps measurements within a tenth of the training work, whatever the sizes', () => {
    for (const [batch, miniSet] of [
      [16, 256],
      [64, 256],
      [128, 256],
      [256, 32],
    ] as const) {
      // prettier-ignore
      let measurements = 0;
      for (let step = 0; step < 500; step++) {
        if (canAfford(measurements, step, batch / miniSet)) measurements++;
        // One forward pass of the mini-set, beside forward and backward passes of the batches.
        const share = (measurements * miniSet) / (3 * batch * (step + 1));
        assert.ok(share <= 0.1 + 1e-12, `${share} at step ${step}`);
      }
      const wanted = Math.min(500, Math.floor((0.1 * 3 * batch * 500) / miniSet));
      assert.equal(measurements, wanted, 'and what can be afforded is used');
    }
  });
});
