import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { spos } from '../../../src/algorithms/spos/spos.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import { idleSteps } from '../../support/idle-learner.ts';
import {
  tinyBatch,
  tinyHeldOut,
  tinyLearner,
  tinyMacs,
  tinySearch,
  tinySupernet,
  trainPath,
  type TinyChanges,
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

/** The one path of each step, of which the gradients are taken once and in one update. */
function trained(changes: TinyChanges, steps: number): Path[] {
  return idleSteps(tinySearch(spos, changes), supernet, steps).map(({ taken, updates }) => {
    assert.equal(taken.length, 1);
    assert.deepEqual(updates, [taken]);
    return taken[0]!;
  });
}

describe('uniform single path', () => {
  const STEPS = 2700;

  it('draws every path of the space equally often', () => {
    const counts = new Map<string, number>();
    for (const path of trained({}, STEPS)) {
      counts.set(path.join(), (counts.get(path.join()) ?? 0) + 1);
    }
    assert.equal(counts.size, 27);
    const expected = STEPS / 27;
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    // 26 degrees of freedom: above 54.05 in one of a thousand fair draws.
    assert.ok(chiSquare < 54.05, `chi-square ${chiSquare}`);
  });

  it('draws the paths of steps independently of one another', () => {
    const paths = trained({}, STEPS);
    // Pairs of candidates of the first block in steps that follow one another.
    const counts = new Array<number>(9).fill(0);
    paths.slice(1).forEach((path, i) => {
      counts[3 * paths[i]![0]! + path[0]!]!++;
    });
    const expected = (STEPS - 1) / 9;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 8 degrees of freedom: above 26.12 in one of a thousand.
    assert.ok(chiSquare < 26.12, `chi-square ${chiSquare}`);
  });

  it('keeps to the budget and to the prior', () => {
    const [minMacs, maxMacs] = [tinyMacs([0, 0, 1]), tinyMacs([1, 1, 1])];
    const paths = trained({ minMacs, maxMacs, prior: { identity: 1, mb2_k3: 1 } }, 200);
    for (const path of paths) {
      assert.ok(tinyMacs(path) >= minMacs && tinyMacs(path) <= maxMacs, path.join());
      assert.ok(
        path.every((candidate) => candidate < 2),
        path.join(),
      );
    }
    assert.ok(new Set(paths.map((path) => path.join())).size > 3);
  });

  it('is a step by the labels alone', () => {
    const { algorithm } = tinySearch(spos);
    const batch = tinyBatch(16, 'training', 0);
    const learner = tinyLearner(supernet);
    const work = { step: 0, epoch: 0, batch, heldOut: tinyHeldOut, learner };
    const { loss, paths } = algorithm.step(algorithm.initialState(), work);
    learner.dispose();
    const other = tinySupernet(engine);
    assert.equal(trainPath(other, paths[0]!, batch), loss);
    other.parameters.forEach(({ name, value }, i) => {
      const actual = engine.read(supernet.parameters[i]!.value);
      assert.deepEqual(actual, engine.read(value), name);
    });
    other.dispose();
  });

  it('knows no path that is better than another', () => {
    const { algorithm } = tinySearch(spos);
    assert.deepEqual(algorithm.candidates(algorithm.initialState()), []);
    const ranking = [0.25, 0.5].map((accuracy) => ({ path: [0, 0, 0], accuracy, crossEntropy: 1 }));
    assert.deepEqual(algorithm.metrics(algorithm.initialState(), ranking), { pathMean: 0.375 });
  });
});
