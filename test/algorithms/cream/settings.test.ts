import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Setting } from '../../../src/algorithms/algorithm.ts';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import {
  creamSettings,
  DEFAULT_META_LR,
  defaultMetaInterval,
} from '../../../src/algorithms/cream/settings.ts';
import { tinyMacs, tinySetting, type TinyChanges } from '../../support/tiny.ts';

/** A setting with a mini-set of the usual size. */
function setting(changes: TinyChanges = {}): Setting {
  return { ...tinySetting(changes), boardImages: 256 };
}

describe('the settings of Cream', () => {
  it('open the board after the share of epochs that the paper used: 21 of 120, at least one', () => {
    const warmups = [1, 2, 3, 6, 9, 10, 120].map(
      (epochs) => creamSettings(setting({ epochs })).board.warmupEpochs,
    );
    assert.deepEqual(warmups, [0, 1, 1, 1, 2, 2, 21], 'but none in a run of one epoch');
  });

  it('take about 50 meta steps in a run, 10 to 200 global steps apart', () => {
    const intervals = [1, 100, 500, 525, 5000, 10_000, 150_120].map(defaultMetaInterval);
    assert.deepEqual(intervals, [10, 10, 10, 11, 100, 200, 200]);
    const long = setting({ epochs: 10, imagesPerEpoch: 16_000 });
    assert.equal(long.schedule.totalSteps, 10_000);
    assert.equal(creamSettings(long).meta.interval, 200);
  });

  it('leave the meta rate alone whatever the batch', () => {
    const rates = [32, 64, 256].map((batchSize) => creamSettings(setting({ batchSize })).meta.lr);
    assert.deepEqual(rates, [DEFAULT_META_LR, DEFAULT_META_LR, DEFAULT_META_LR]);
  });

  it('take what the config says instead of a default', () => {
    const own = { metaLr: 0.7, metaInterval: 3, warmupEpochs: 2, accGap: 0.02, maxMacs: 1e9 };
    const settings = creamSettings(
      setting({ ...own, probeImages: 3, metaImages: 5, boardSize: 6 }),
    );
    assert.deepEqual(settings.meta, { interval: 3, lr: 0.7, images: 5 });
    assert.equal(settings.board.warmupEpochs, 2);
    assert.equal(settings.board.gapAt(0.5), 0.02);
    assert.deepEqual([settings.probeImages, settings.boardSize], [3, 6]);
    assert.equal(settings.sampling.budget.ranges[0]!.max, 1e9);
  });

  it('without limits allow any cost and any candidate', () => {
    const { budget, prior } = creamSettings(setting()).sampling;
    assert.deepEqual([budget.ranges[0]!.min, budget.ranges[0]!.max, prior], [0, Infinity, null]);
    assert.ok(tinyMacs([2, 2, 2]) < Infinity);
  });

  it('refuse numbers that would leave Cream inert, or a batch too small', () => {
    const refused: TinyChanges[] = [
      { warmupEpochs: 99, epochs: 99 },
      { warmupEpochs: 1, epochs: 1 },
      { probeImages: 33, batchSize: 32 },
      { metaImages: 33, batchSize: 32 },
    ];
    for (const own of refused) {
      assert.throws(() => cream.create(setting(own)), { code: 'CONFIG_INVALID' });
    }
  });

  it('have a gap above three standard errors of the mini-set', () => {
    const { gapAt } = creamSettings(setting()).board;
    for (const p of [0.1, 0.4, 0.5, 0.9]) {
      assert.ok(gapAt(p) >= 3 * Math.sqrt((p * (1 - p)) / 256));
      assert.ok(gapAt(p) >= 0.05);
    }
  });

  it('are told with every default filled in, under keys of the config that nobody else reads', () => {
    const { settings } = cream.create(setting());
    const told = { metaLr: 1.2, metaInterval: 10, metaImages: 8, probeImages: 2, warmupEpochs: 1 };
    assert.deepEqual(settings, told);
    for (const key of Object.keys(settings)) assert.ok(cream.configKeys.includes(key), key);
  });
});
