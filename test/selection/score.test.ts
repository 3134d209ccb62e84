import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { calibrate, scorePath } from '../../src/selection/score.ts';
import { hitsOf, lossesOf } from '../../src/supernet/classification.ts';
import { predict } from '../../src/supernet/inference.ts';
import { Statistics } from '../../src/supernet/statistics.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { assertClose } from '../support/close.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinySupernet, trainPath } from '../support/tiny.ts';

const path = [1, 2, 1];
const pause = (): Promise<void> => Promise.resolve();
const calibration = [0, 1, 2].map((i) => tinyBatch(16, 'calibration', i));

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
  for (let step = 0; step < 30; step++) {
    trainPath(supernet, path, tinyBatch(16, 'x', step));
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
      const wanted = moments.map((_, i) =>
        each.reduce((sum, batch) => sum + batch.get(name)![i]! / each.length, 0),
      );
      const half = moments.length / 2; // means, then variances
      assertClose(moments.slice(0, half), wanted.slice(0, half), 1e-5, `means of ${name}`);
      assertClose(moments.slice(half), wanted.slice(half), 1e-5, `variances of ${name}`);
    }
  });

  it('a batch norm that no image has met has mean 0 and variance 1', () => {
    const statistics = new Statistics(engine);
    const { mean, variance } = statistics.of('new', 2);
    assert.deepEqual([...engine.read(mean), ...engine.read(variance)], [0, 0, 1, 1]);
    statistics.dispose();
  });
});

describe('scorePath', () => {
  it('is the share of hits and the mean nats over all images, by the recalibrated moments', async () => {
    const images = [tinyBatch(32, 'ranking', 0), tinyBatch(8, 'ranking', 1)];
    const statistics = await calibrate(supernet, path, { calibration, pause });
    const normalisation = { by: 'stored', statistics } as const;
    const answers = images.map(({ images: pixels, labels }) => {
      const probabilities = predict(supernet, pixels, path, { normalisation });
      return { hits: hitsOf(probabilities, labels), losses: lossesOf(probabilities, labels) };
    });
    statistics.dispose();
    const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
    const score = await scorePath(supernet, path, { calibration, images, pause });
    assert.equal(score.accuracy, sum(answers.flatMap(({ hits }) => [...hits])) / 40);
    assert.equal(score.crossEntropy, sum(answers.flatMap(({ losses }) => [...losses])) / 40);
    assert.equal(score.path, path);
    assert.ok(score.accuracy > 0.6, `a trained path is better than chance: ${score.accuracy}`);
    assert.ok(score.crossEntropy < Math.log(3));
  });

  it('does not depend on how the images are cut into batches', async () => {
    const whole = tinyBatch(32, 'ranking', 0);
    const part = (from: number, to: number): Batch => ({
      count: to - from,
      images: whole.images.slice(from * 192, to * 192),
      labels: whole.labels.slice(from, to),
    });
    const scoreOn = (images: Batch[]) => scorePath(supernet, path, { calibration, images, pause });
    const [cut, uncut] = [await scoreOn([part(0, 5), part(5, 32)]), await scoreOn([whole])];
    assert.ok(Math.abs(cut.accuracy - uncut.accuracy) < 1e-9);
    assert.ok(Math.abs(cut.crossEntropy - uncut.crossEntropy) < 1e-5);
  });

  it('touches no running statistic and leaves no tensor behind', async () => {
    const running = read(supernet.running);
    const tensors = engine.tensorCount();
    await scorePath(supernet, path, { calibration, images: [tinyBatch(8, 'ranking')], pause });
    assert.deepEqual(read(supernet.running), running);
    assert.equal(engine.tensorCount(), tensors);
  });

  it('pauses after each batch of both kinds', async () => {
    let pauses = 0;
    const counted = (): Promise<void> => {
      pauses++;
      return Promise.resolve();
    };
    const images = [tinyBatch(8, 'ranking', 0), tinyBatch(8, 'ranking', 1)];
    await scorePath(supernet, path, { calibration, images, pause: counted });
    assert.equal(pauses, calibration.length + images.length);
  });
});
