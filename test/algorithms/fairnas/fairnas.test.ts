import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fairnas, fairPaths } from '../../../src/algorithms/fairnas/fairnas.ts';
import { labelLoss } from '../../../src/algorithms/stateless.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { createRng } from '../../../src/foundation/rng.ts';
import { bindSearchSpace } from '../../../src/searchspace/parse.ts';
import type { Path, SearchSpace } from '../../../src/searchspace/space.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { assertClose } from '../../support/close.ts';
import { nativeEngine } from '../../support/engine.ts';
import { idleSteps } from '../../support/idle-learner.ts';
import { shippedSkeleton } from '../../support/spaces.ts';
import {
  tinyBatch,
  tinyHeldOut,
  tinyLearner,
  tinySearch,
  tinySpace,
  tinySupernet,
} from '../../support/tiny.ts';

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

/** How often each candidate of a block is taken. */
function countsOf(paths: readonly Path[], block: number, candidates: number): number[] {
  const counts = new Array<number>(candidates).fill(0);
  for (const path of paths) counts[path[block]!]!++;
  return counts;
}

/** A space whose first block has one candidate and whose second has two; the others have three. */
function unevenSpace(): SearchSpace {
  const skeleton = shippedSkeleton('nas-bench-macro');
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  const names = skeleton.candidates.map(({ name }) => name);
  const kept = new Map(labels.map((label, i) => [label, names.slice(0, Math.min(3, i + 1))]));
  return bindSearchSpace(skeleton, kept, 'test');
}

describe('strict fairness', () => {
  it('takes every candidate of every block exactly once in each step', () => {
    for (const { taken } of idleSteps(tinySearch(fairnas), supernet, 100)) {
      assert.equal(taken.length, 3);
      for (const block of [0, 1, 2]) assert.deepEqual(countsOf(taken, block, 3), [1, 1, 1]);
    }
  });

  it('makes one update with all of them', () => {
    for (const { taken, updates } of idleSteps(tinySearch(fairnas), supernet, 5)) {
      assert.deepEqual(updates, [taken]);
    }
  });

  it('combines the candidates of different blocks in every way equally often', () => {
    const steps = 900;
    const counts = new Map<string, number>();
    for (const { taken } of idleSteps(tinySearch(fairnas), supernet, steps)) {
      for (const path of taken) counts.set(path.join(), (counts.get(path.join()) ?? 0) + 1);
    }
    assert.equal(counts.size, 27);
    const expected = (3 * steps) / 27;
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    // The paths of a step exclude one another, so that the sum is below that of free draws.
    assert.ok(chiSquare < 54.05, `chi-square ${chiSquare}`);
  });

  it('begins the order of a block with fewer candidates anew', () => {
    const space = unevenSpace();
    const sizes = space.choices.map(({ candidates }) => candidates.length);
    assert.deepEqual(sizes.slice(0, 4), [1, 2, 3, 3]);
    for (let step = 0; step < 20; step++) {
      const paths = fairPaths(space, createRng({ seed: 1, stream: 'path', step }));
      assert.equal(paths.length, 3);
      assert.deepEqual(countsOf(paths, 0, 1), [3]);
      const second = paths.map((path) => path[1]);
      assert.deepEqual(second, [second[0], 1 - second[0]!, second[0]]);
      for (const block of [2, 3]) assert.deepEqual(countsOf(paths, block, 3), [1, 1, 1]);
    }
  });

  it('draws other paths in another step and by another seed, and the same again', () => {
    const draw = (seed: number, step: number) =>
      fairPaths(tinySpace, createRng({ seed, stream: 'path', step }));
    const first = Array.from({ length: 10 }, (_, step) => draw(1, step));
    assert.deepEqual(Array.from({ length: 10 }, (_, step) => draw(1, step)), first); // prettier-ignore
    assert.notDeepEqual(Array.from({ length: 10 }, (_, step) => draw(2, step)), first); // prettier-ignore
    assert.ok(new Set(first.map((paths) => JSON.stringify(paths))).size > 5);
  });

  it('moves the weights by the sum of the gradients of its paths, at one point', () => {
    const { algorithm, plan } = tinySearch(fairnas, { momentum: 0, weightDecay: 0 });
    const batch = tinyBatch(16, 'training', 0);
    const { optimizer } = plan;
    const learner = tinyLearner(supernet, { optimizer });
    const work = { step: 0, epoch: 0, batch, heldOut: tinyHeldOut, learner };
    const { loss, paths } = algorithm.step(algorithm.initialState(), work);
    learner.dispose();

    const other = tinySupernet(engine);
    const starts = other.parameters.map(({ value }) => engine.read(value).slice());
    const wanted = starts.map((start) => new Float64Array(start.length));
    const losses = paths.map((path) => {
      const probe = tinyLearner(other);
      const part = probe.gradientsOf(path, batch, labelLoss(probe, batch, 0.1));
      for (const [parameter, gradient] of part.gradients) {
        const sums = wanted[other.parameters.indexOf(parameter)]!;
        engine.read(gradient).forEach((each, i) => (sums[i]! -= 0.05 * each));
      }
      probe.dispose();
      return part.loss;
    });
    const mean = losses.reduce((sum, each) => sum + each, 0) / losses.length;
    assert.ok(Math.abs(loss - mean) < 1e-6);
    supernet.parameters.forEach(({ name, value }, k) => {
      const moved = Float64Array.from(engine.read(value), (each, i) => each - starts[k]![i]!);
      // A difference of weights near 1, in float32.
      assertClose(moved, wanted[k]!, 1e-3, name);
    });
    assert.ok(
      supernet.parameters.every(({ slots }) => slots.length === 1),
      'all are stepped',
    );
    other.dispose();
  });
});
