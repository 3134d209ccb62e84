import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extremesOf } from '../../../src/algorithms/sandwich/extremes.ts';
import { createRng } from '../../../src/foundation/rng.ts';
import { macsBudget } from '../../../src/searchspace/budget.ts';
import { macsModel } from '../../../src/searchspace/cost-model.ts';
import { feasibility } from '../../../src/searchspace/feasibility.ts';
import { fullSpace } from '../../../src/searchspace/parse.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { shippedSkeleton } from '../../support/spaces.ts';
import { tinyMacs, tinySetting, tinySpace, type TinyChanges } from '../../support/tiny.ts';

const rng = (seed = 1) => createRng({ seed, stream: 'extremes', step: 0 });

/** All 27 paths of the tiny space. */
const ALL: Path[] = [0, 1, 2].flatMap((a) =>
  [0, 1, 2].flatMap((b) => [0, 1, 2].map((c) => [a, b, c])),
);

const macs = macsModel(fullSpace(shippedSkeleton('nas-bench-macro')));

describe('the largest and the smallest path', () => {
  it('are those of the space where there is no budget, from any start', () => {
    const { largest, smallest } = feasibility(tinySpace, macsBudget(tinySpace, { minMacs: 0, maxMacs: Infinity })); // prettier-ignore
    for (const seed of [1, 2, 3, 4, 5]) {
      const found = extremesOf(tinySetting(), rng(seed));
      assert.deepEqual(found, { largest: largest.path, smallest: smallest.path });
    }
  });

  it('lie inside the budget, and no change of one block leads further', () => {
    const costs = ALL.map(tinyMacs).sort((a, b) => a - b);
    const changes: TinyChanges = { minMacs: costs[6]!, maxMacs: costs[19]! };
    const isInside = (path: Path): boolean =>
      tinyMacs(path) >= costs[6]! && tinyMacs(path) <= costs[19]!;
    for (const seed of [1, 2, 3, 4, 5]) {
      const { largest, smallest } = extremesOf(tinySetting(changes), rng(seed));
      assert.ok(isInside(largest) && isInside(smallest));
      const near = (to: Path): Path[] =>
        ALL.filter((path) => path.filter((each, i) => each !== to[i]).length === 1);
      for (const path of near(largest).filter(isInside))
        assert.ok(tinyMacs(path) <= tinyMacs(largest));
      for (const path of near(smallest).filter(isInside))
        assert.ok(tinyMacs(path) >= tinyMacs(smallest));
    }
  });

  it('use nearly all of a budget of nas-bench-macro', () => {
    const space = fullSpace(shippedSkeleton('nas-bench-macro'));
    for (const maxMacs of [40e6, 60e6, 80e6]) {
      const sampling = { budget: macsBudget(space, { minMacs: 0, maxMacs }), prior: null };
      for (const seed of [1, 2, 3]) {
        const { largest } = extremesOf({ space, sampling, macsOf: macs.cost }, rng(seed));
        assert.ok(macs.cost(largest) > 0.95 * maxMacs, `${macs.cost(largest)} of ${maxMacs}`);
      }
    }
  });

  it('hold no candidate that is never drawn', () => {
    const setting = tinySetting({ prior: { mb2_k3: 1, identity: 0.1 } });
    const { largest, smallest } = extremesOf(setting, rng());
    assert.deepEqual([largest, smallest].map((path) => path.every((each) => each < 2)), [true, true]); // prettier-ignore
    assert.equal(Math.max(...largest), 1);
  });
});
