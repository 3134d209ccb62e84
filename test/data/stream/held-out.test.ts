import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureNormalisation, plainBatch } from '../../../src/data/stream/batch.ts';
import { heldOutBatches, splitHeldOut, testBatches } from '../../../src/data/stream/held-out.ts';
import { createImageSet } from '../../../src/data/store/image-set.ts';
import { stratifiedOrder } from '../../../src/data/store/stratify.ts';
import { createStepIndices } from '../../../src/data/stream/training-plan.ts';
import { numberedSet } from '../support.ts';

function balanced(count: number, classes: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => index % classes);
}

function countsOf(labels: Int32Array, indices: Int32Array): number[] {
  const counts = new Array<number>(Math.max(...labels) + 1).fill(0);
  for (const index of indices) {
    const label = labels[index]!;
    counts[label] = counts[label]! + 1;
  }
  return counts;
}

describe('splitHeldOut', () => {
  it('holds out a tenth, at most 5,000, in disjoint parts that cover everything', () => {
    for (const [count, small, ranking, confirmation, training] of [
      [50_000, 256, 2992, 1496, 45_000],
      [80_000, 256, 2992, 1496, 75_000],
      [20_000, 256, 992, 496, 18_000],
      [2700, 90, 60, 30, 2430],
    ] as const) {
      const split = splitHeldOut(balanced(count, 10), { seed: 7 });
      const { board, meta } = split;
      const parts = [board, meta, split.ranking, split.confirmation, split.training];
      assert.deepEqual(
        parts.map(({ length }) => length),
        [small, small, ranking, confirmation, training],
      );
      assert.equal(new Set(parts.flatMap((part) => [...part])).size, count);
    }
  });

  it('takes no images for a confirmation that could tell nothing', () => {
    const split = splitHeldOut(balanced(2600, 10), { seed: 7 });
    assert.deepEqual([split.ranking.length, split.confirmation.length], [88, 0]);
  });

  it('trains on the same images as if none confirmed the answer', () => {
    const labels = balanced(20_000, 10);
    const { board, meta, ranking, confirmation, training } = splitHeldOut(labels, { seed: 7 });
    assert.deepEqual(
      [...board, ...meta, ...ranking, ...confirmation, ...training],
      [...stratifiedOrder(labels, 7)],
    );
  });

  it('keeps the proportions of unequal classes in every part and every prefix', () => {
    const labels = Int32Array.from({ length: 40_000 }, (_, index) => Number(index % 4 === 0));
    const split = splitHeldOut(labels, { seed: 3 });
    for (const part of [
      split.board,
      split.meta,
      split.ranking,
      split.ranking.subarray(0, 100),
      split.confirmation,
      split.training,
    ]) {
      const share = countsOf(labels, part)[1]! / part.length;
      assert.ok(Math.abs(share - 0.25) <= 1 / part.length, String(share));
    }
  });

  it('gives each class a place in each part of a set as small as it may be', () => {
    const labels = balanced(300, 10);
    const split = splitHeldOut(labels, { seed: 0 });
    for (const part of [split.board, split.meta, split.ranking]) {
      assert.deepEqual(countsOf(labels, part), new Array(10).fill(1));
    }
    assert.throws(
      () => splitHeldOut(balanced(299, 10), { seed: 0 }),
      /at least 300 for 10 classes/u,
    );
  });

  it('depends on the seed and on nothing else', () => {
    const labels = balanced(3000, 10);
    assert.deepEqual(splitHeldOut(labels, { seed: 1 }), splitHeldOut(labels, { seed: 1 }));
    assert.notDeepEqual(
      splitHeldOut(labels, { seed: 1 }).board,
      splitHeldOut(labels, { seed: 2 }).board,
    );
  });
});

describe('normalisation', () => {
  it('measures mean and standard deviation of the given images only, in fractions', () => {
    const set = createImageSet({ count: 3, size: 1, classes: ['a', 'b'] });
    set.images.set([0, 255, 51, 255, 255, 102, 7, 7, 7]);
    const { mean, std } = measureNormalisation(set, Int32Array.of(0, 1));
    mean.forEach((value, channel) => {
      assert.ok(Math.abs(value - [0.5, 1, 0.3][channel]!) < 1e-12);
    });
    std.forEach((value, channel) => {
      // The constant channel gets one level instead of a division by zero.
      assert.ok(Math.abs(value - [0.5, 1 / 255, 0.1][channel]!) < 1e-12);
    });
  });

  it('gives its images zero mean and unit standard deviation', () => {
    const set = numberedSet(40, 8);
    const indices = Int32Array.from({ length: 40 }, (_, index) => index);
    const { images } = plainBatch(set, indices, measureNormalisation(set, indices));
    for (let channel = 0; channel < 3; channel++) {
      const values = images.filter((_, at) => at % 3 === channel);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      assert.ok(Math.abs(mean) < 1e-5 && Math.abs(squares - 1) < 1e-4, `${mean} ${squares}`);
    }
  });
});

describe('heldOutBatches', () => {
  const set = numberedSet(240, 2);
  const split = {
    board: Int32Array.of(1, 3),
    meta: Int32Array.of(10, 11, 12, 13, 14),
    ranking: Int32Array.from({ length: 70 }, (_, at) => 20 + at),
    confirmation: Int32Array.of(15, 16),
    training: Int32Array.from({ length: 150 }, (_, at) => 90 + at),
  };
  const identity = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;
  const heldOut = heldOutBatches({
    images: set,
    split,
    normalisation: identity,
    batchSize: 32,
    calibrationImages: 50,
  });
  /** The first pixel's red says which image it is. */
  const members = (batch: { count: number; images: Float32Array }): number[] =>
    Array.from({ length: batch.count }, (_, at) => Math.round(batch.images[at * 12]!));

  it('gives the board its images with their labels', () => {
    assert.deepEqual(members(heldOut.board), [1, 3]);
    assert.deepEqual([...heldOut.board.labels], [1, 1]);
  });

  it('cycles through the meta part and wraps around', () => {
    const drawn = [0, 1, 2, 3, 4].map((step) => members(heldOut.meta(step, 2)));
    assert.deepEqual(drawn, [
      [10, 11],
      [12, 13],
      [14, 10],
      [11, 12],
      [13, 14],
    ]);
    assert.deepEqual(members(heldOut.meta(5, 2)), members(heldOut.meta(0, 2)));
  });

  it('gives a meta step no more images than its part has', () => {
    assert.deepEqual(members(heldOut.meta(3, 9)), [10, 11, 12, 13, 14]);
  });

  it('ranks on the whole part and calibrates on training images', () => {
    assert.deepEqual(
      [...heldOut.ranking].map(({ count }) => count),
      [32, 32, 6],
    );
    assert.deepEqual([...heldOut.ranking].flatMap(members), [...split.ranking]);
    assert.deepEqual([...heldOut.calibration].flatMap(members), [
      ...split.training.subarray(0, 50),
    ]);
  });

  it('gives fresh arrays, which a caller may keep', () => {
    assert.notEqual(heldOut.board.images, heldOut.board.images);
  });

  it('cuts a whole set into test batches', () => {
    const batches = testBatches(set, { batchSize: 100, normalisation: identity });
    assert.deepEqual(
      batches.map(({ count }) => count),
      [100, 100, 40],
    );
    assert.deepEqual(
      batches.flatMap(members),
      Array.from({ length: 240 }, (_, at) => at),
    );
  });
});

describe('createStepIndices', () => {
  const indices = Int32Array.from({ length: 50 }, (_, at) => 100 + at);
  const draw = (stepsPerEpoch: number, seed = 1): ((step: number) => Int32Array) =>
    createStepIndices({ indices, batchSize: 8, stepsPerEpoch, seed });
  const epoch = (at: (step: number) => Int32Array, from: number, steps: number): number[] =>
    Array.from({ length: steps }, (_, step) => [...at(from + step)]).flat();

  it('draws an epoch without replacement and each epoch afresh', () => {
    const at = draw(5);
    const [first, second] = [epoch(at, 0, 5), epoch(at, 5, 5)];
    assert.equal(new Set(first).size, 40);
    assert.equal(new Set(second).size, 40);
    assert.notDeepEqual(first, second);
    assert.ok(first.every((member) => indices.includes(member)));
  });

  it('goes on with a fresh permutation where an epoch is longer than the set', () => {
    const long = epoch(draw(20), 0, 20);
    assert.deepEqual(new Set(long.slice(0, 50)).size, 50);
    assert.deepEqual(new Set(long.slice(50, 100)).size, 50);
    assert.notDeepEqual(long.slice(0, 50), long.slice(50, 100));
  });

  it('is a pure function of seed and step', () => {
    const at = draw(5);
    const forwards = [0, 3, 7, 12].map((step) => at(step));
    const backwards = [12, 7, 3, 0].map((step) => draw(5)(step)).reverse();
    assert.deepEqual(forwards, backwards);
    assert.notDeepEqual(draw(5, 2)(0), at(0));
  });
});
