import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Setting } from '../../../src/algorithms/algorithm.ts';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import { creamSettings, defaultMetaInterval } from '../../../src/algorithms/cream/settings.ts';
import { tinyEntry, tinyMacs, tinySetting, type TinyChanges } from '../../support/tiny.ts';

/** A setting with a mini-set of the usual size. */
function setting(changes: TinyChanges = {}): Setting {
  return { ...tinySetting({ pathsPerStep: 4, ...changes }), boardImages: 256 };
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

  it('hold the first round when the warm-up is over, and the next when it is paid for', () => {
    // 20 steps an epoch; a round is 2 x 4 paths on 256 + 2 images, a step worth 3 x 16 passes.
    const { opensAt, interval } = creamSettings(setting({ warmupEpochs: 2 })).board;
    assert.deepEqual([opensAt, interval], [40, 430]);
  });

  it('take what the config says instead of a default', () => {
    const own = { metaLr: 0.7, metaInterval: 3, warmupEpochs: 2, accGap: 0.02, maxMacs: 1e9 };
    const settings = creamSettings(
      setting({
        ...own,
        probeImages: 3,
        metaImages: 5,
        boardSize: 6,
        pathsPerStep: 7,
        matching: 'random',
      }),
    );
    assert.deepEqual(settings.meta, { interval: 3, lr: 0.7, images: 5 });
    assert.equal(settings.board.warmupEpochs, 2);
    assert.deepEqual([settings.probeImages, settings.boardSize], [3, 6]);
    assert.deepEqual([settings.pathsPerStep, settings.matching], [7, 'random']);
    assert.equal(settings.sampling.budget.ranges[0]!.max, 1e9);
  });

  it('compare paths on 8 images, or on all of a smaller mini-set', () => {
    const probes = [256, 8, 5].map((boardImages) => {
      const { config, ...others } = setting();
      const { probeImages: said, ...unsaid } = config;
      assert.equal(said, 2);
      return creamSettings({ ...others, config: unsaid, boardImages }).probeImages;
    });
    assert.deepEqual(probes, [8, 8, 5]);
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
      { probeImages: 257, batchSize: 512 },
      { metaImages: 33, batchSize: 32 },
    ];
    for (const own of refused) {
      assert.throws(() => cream.create(setting(own)), { code: 'CONFIG_INVALID' });
    }
  });

  it('train no more paths a step than there are images', () => {
    const few = creamSettings(setting({ pathsPerStep: 4, batchSize: 2, metaImages: 2 }));
    assert.equal(few.pathsPerStep, 2);
  });

  it('keep the Pareto front on the board; the rule of the code only where it is asked for', () => {
    const cheap = tinyEntry([0, 0, 0], { macs: 10, crossEntropy: 2, accuracy: 0.25 });
    const good = tinyEntry([1, 1, 1], { macs: 20, crossEntropy: 1, accuracy: 0.5 });
    const best = tinyEntry([2, 2, 2], { macs: 30, crossEntropy: 0.5, accuracy: 0.53 });
    const after = (changes: TinyChanges) =>
      creamSettings(setting(changes)).board.rule([cheap, good], [best], 2);
    assert.deepEqual(new Set(after({})), new Set([good, best]));
    // Its lead of 0.28 over the worst is above the default gap, 3 sqrt(0.25 x 0.75 / 256) = 0.081.
    assert.deepEqual(new Set(after({ admission: 'official' })), new Set([good, best]));
    const strict = after({ admission: 'official', accGap: 0.3 });
    assert.deepEqual(new Set(strict), new Set([cheap, good]));
  });

  it("have a gap of the mini-set's noise for the rule of the code", () => {
    const worst = tinyEntry([0, 0, 0], { macs: 10, accuracy: 0.5 });
    const { rule } = creamSettings(setting({ admission: 'official' })).board;
    // Three standard errors of 256 images at 0.5: 1.5 / 16 = 0.09375.
    const leads = [0.0937, 0.0938].map((lead) => {
      const rival = tinyEntry([2, 2, 2], { macs: 20, accuracy: 0.5 + lead });
      return rule([worst], [rival], 1)[0] === rival;
    });
    assert.deepEqual(leads, [false, true]);
  });

  it('are told with every default filled in, under keys of the config that nobody else reads', () => {
    const { settings } = cream.create(setting());
    assert.deepEqual(settings, {
      pathsPerStep: 4,
      metaLr: 0.05,
      metaInterval: 10,
      metaImages: 8,
      probeImages: 2,
      warmupEpochs: 1,
    });
    for (const key of Object.keys(settings)) assert.ok(cream.configKeys.includes(key), key);
  });
});
