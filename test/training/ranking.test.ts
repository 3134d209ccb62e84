import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { Statistics } from '../../src/supernet/statistics.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { accuracyOf } from '../../src/training/losses.ts';
import type { Batch } from '../../src/training/ports.ts';
import { calibrate, measurePath, rankPaths } from '../../src/training/ranking.ts';
import { firstBatches } from '../../src/training/report.ts';
import { predict, trainStudent } from '../../src/training/student.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinySupernet, trainingSettings } from '../support/tiny.ts';

const path = [1, 2, 1];
const pause = (): Promise<void> => Promise.resolve();
const calibration = [0, 1, 2].map((i) => tinyBatch(16, 'calibration', i));

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
  for (let step = 0; step < 30; step++) {
    const batch = tinyBatch(16, 'x', step);
    trainStudent(supernet, { path, batch, lesson: null }, trainingSettings);
  }
});
after(() => {
  supernet.dispose();
});

/** Moments as plain numbers, by name. */
function read(statistics: Statistics): Map<string, number[]> {
  return new Map(
    statistics
      .entries()
      .map(([name, { mean, variance }]) => [
        name,
        [...engine.read(mean), ...engine.read(variance)],
      ]),
  );
}

describe('calibrate', () => {
  it('gives every batch norm of the path the mean of its moments over the batches', async () => {
    const each = calibration.map(({ images }) => {
      const into = new Statistics(engine);
      predict(supernet, images, path, { normalisation: { by: 'batch', record: { into, factor: 1 } } }); // prettier-ignore
      const moments = read(into);
      into.dispose();
      return moments;
    });
    const statistics = await calibrate(supernet, path, { calibration, pause });
    const actual = read(statistics);
    statistics.dispose();
    // Stem, three blocks of three, head.
    assert.equal(actual.size, 11);
    for (const [name, moments] of actual) {
      moments.forEach((moment, i) => {
        const wanted = each.reduce((sum, batch) => sum + batch.get(name)![i]! / each.length, 0);
        assert.ok(Math.abs(moment - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)), name);
      });
    }
  });

  it('a batch norm that no image has met has mean 0 and variance 1', () => {
    const statistics = new Statistics(engine);
    const { mean, variance } = statistics.of('new', 2);
    assert.deepEqual([...engine.read(mean), ...engine.read(variance)], [0, 0, 1, 1]);
    statistics.dispose();
  });
});

describe('measurePath', () => {
  it('is the share of hits over all images, normalised by the recalibrated moments', async () => {
    const [large, small] = [tinyBatch(32, 'ranking', 0), tinyBatch(8, 'ranking', 1)];
    const images = () => [large, small];
    const statistics = await calibrate(supernet, path, { calibration, pause });
    const normalisation = { by: 'stored', statistics } as const;
    const hitsOn = (batch: Batch): number => {
      const scores = predict(supernet, batch.images, path, { normalisation });
      return batch.count * accuracyOf(scores, batch.labels);
    };
    const wanted = (hitsOn(large) + hitsOn(small)) / 40;
    statistics.dispose();
    assert.equal(await measurePath(supernet, path, { calibration, images, pause }), wanted);
    assert.ok(wanted > 0.6, `a trained path is better than chance: ${wanted}`);
  });

  it('does not depend on how the images are cut into batches', async () => {
    const whole = tinyBatch(32, 'ranking', 0);
    const part = (from: number, to: number): Batch => ({
      count: to - from,
      images: whole.images.slice(from * 192, to * 192),
      labels: whole.labels.slice(from, to),
    });
    const cut = () => [part(0, 5), part(5, 32)];
    const accuracyOn = (images: () => Batch[]): Promise<number> =>
      measurePath(supernet, path, { calibration, images, pause });
    const difference = (await accuracyOn(cut)) - (await accuracyOn(() => [whole]));
    assert.ok(Math.abs(difference) < 1e-9);
  });

  it('touches no running statistic and leaves no tensor behind', async () => {
    const running = read(supernet.running);
    const tensors = engine.tensorCount();
    const images = () => [tinyBatch(8, 'ranking')];
    await measurePath(supernet, path, { calibration, images, pause });
    assert.deepEqual(read(supernet.running), running);
    assert.equal(engine.tensorCount(), tensors);
  });
});

describe('rankPaths', () => {
  it('sorts by accuracy, best first, and pauses after each batch', async () => {
    const paths = [[0, 0, 0], path, [2, 1, 2]]; // prettier-ignore
    const images = () => [tinyBatch(32, 'ranking', 0)];
    let pauses = 0;
    const counted = (): Promise<void> => {
      pauses++;
      return Promise.resolve();
    };
    const ranked = await rankPaths(supernet, paths, { calibration, images, pause: counted });
    assert.equal(pauses, 3 * (calibration.length + 1));
    assert.deepEqual(ranked[0]!.path, path, 'the only trained one');
    const accuracies = ranked.map(({ accuracy }) => accuracy);
    assert.deepEqual(accuracies, accuracies.toSorted((a, b) => b - a)); // prettier-ignore
    for (const { path: each, accuracy } of ranked) {
      assert.equal(accuracy, await measurePath(supernet, each, { calibration, images, pause }));
    }
  });

  it('an epoch report takes the first batches that hold the wanted number of images', () => {
    const batches = [3, 3, 2].map((count) => tinyBatch(count, 'ranking'));
    const counts = [1, 3, 4, 8, Infinity].map(
      (images) => [...firstBatches(batches, images)].length,
    );
    assert.deepEqual(counts, [1, 1, 2, 3, 3]);
  });
});
