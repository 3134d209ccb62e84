import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../src/foundation/rng.ts';
import {
  bootstrapIntervals,
  kendallTau,
  mean,
  spearman,
  standardError,
  topKOverlap,
  weightedKendallTau,
  weightedSpearman,
} from '../../src/foundation/statistics.ts';
import { ROOT } from '../support/spaces.ts';

type Pair = readonly [x: readonly number[], y: readonly number[]];

/** Random lists that depend on each other; `levels` different values, fewer for more ties. */
function randomPair(step: number, count: number, levels: number): Pair {
  const rng = createRng({ seed: 11, stream: 'pair', step });
  const x = Array.from({ length: count }, () => rng.below(levels));
  const y = x.map((value) => Math.round(value / 2 + (levels / 3) * rng.normal()));
  return [x, y];
}

const SCIPY = `
import json, sys
from scipy.stats import kendalltau, spearmanr
pairs = json.load(sys.stdin)
print(json.dumps([[kendalltau(x, y, variant='b').statistic, spearmanr(x, y).statistic]
                  for x, y in pairs]))
`;

/** Kendall's tau-b and Spearman's correlation of each pair as SciPy has them. */
function scipy(pairs: readonly Pair[]): readonly Pair[0][] {
  const python = `${ROOT}/.python/bin/python`;
  const input = JSON.stringify(pairs);
  return JSON.parse(execFileSync(python, ['-c', SCIPY], { input, encoding: 'utf8' })) as number[][];
}

/** Two lists of one length in which ties are common. */
const lists = fc
  .integer({ min: 2, max: 40 })
  .chain((count) => {
    const list = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: count, maxLength: count });
    return fc.tuple(list, list);
  })
  .filter((each) => each.every((list) => new Set(list).size > 1));

/** Tau-b by its definition, pair by pair. */
function tauByDefinition([x, y]: Pair): number {
  let [score, inX, inY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      score += a * b;
      inX += a * a;
      inY += b * b;
    }
  }
  return score / Math.sqrt(inX * inY);
}

function assertClose(found: number, wanted: number, tolerance = 1e-12): void {
  assert.ok(Math.abs(found - wanted) <= tolerance, `${found} against ${wanted}`);
}

describe('rank correlations', () => {
  it("are SciPy's on random lists with few, many and mostly ties", () => {
    const pairs = [2, 3, 10, 1000].flatMap((levels) =>
      [2, 3, 7, 50, 400, 3000].map((count) => randomPair(count, count, levels)),
    );
    const usable = pairs.filter((pair) => pair.every((list) => new Set(list).size > 1));
    assert.ok(usable.length >= 20);
    scipy(usable).forEach(([tau, rho], i) => {
      assertClose(kendallTau(...usable[i]!), tau!);
      assertClose(spearman(...usable[i]!), rho!);
    });
  });

  it('count pair by pair to what the definition of tau-b says', () => {
    fc.assert(
      fc.property(lists, (pair) => {
        assertClose(kendallTau(...pair), tauByDefinition(pair));
      }),
    );
  });

  it('see the order only, are symmetric, and change their sign with one of the lists', () => {
    for (const correlation of [kendallTau, spearman]) {
      fc.assert(
        fc.property(lists, ([x, y]) => {
          const value = correlation(x, y);
          assert.ok(value >= -1 - 1e-12 && value <= 1 + 1e-12);
          assertClose(correlation(x.map(Math.exp), y), value);
          assertClose(correlation(y, x), value);
          assertClose(correlation(x, y.map((each) => -each)), -value); // prettier-ignore
        }),
      );
    }
  });

  it('are 1 of a list with itself, and NaN against a constant or of a single pair', () => {
    for (const correlation of [kendallTau, spearman]) {
      assertClose(correlation([3, 1, 2, 2], [3, 1, 2, 2]), 1);
      assert.ok(Number.isNaN(correlation([1, 2, 3], [5, 5, 5])));
      assert.ok(Number.isNaN(correlation([1], [1])));
    }
  });

  it('rank infinities and take the two zeros for one value', () => {
    assertClose(kendallTau([-Infinity, 0, Infinity], [1, 2, 3]), 1);
    assertClose(kendallTau([-0, 0, 1], [1, 1, 2]), 1);
  });

  it('refuse lists of different lengths and values without a rank', () => {
    assert.throws(() => kendallTau([1, 2], [1]), RangeError);
    assert.throws(() => spearman([1, NaN], [1, 2]), RangeError);
  });

  it('count an element of weight two as if it stood in the lists twice', () => {
    const [x, y] = randomPair(1, 60, 12);
    const rng = createRng({ seed: 2, stream: 'weights', step: 0 });
    const weights = Int32Array.from(x, () => rng.below(4));
    const repeat = (list: readonly number[]): number[] =>
      list.flatMap((value, i) => new Array<number>(weights[i]!).fill(value));
    assertClose(weightedKendallTau(x, y)(weights), kendallTau(repeat(x), repeat(y)));
    assertClose(weightedSpearman(x, y)(weights), spearman(repeat(x), repeat(y)));
  });
});

describe('bootstrapIntervals', () => {
  const weightedMean =
    (values: readonly number[]) =>
    (weights: Int32Array): number =>
      values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / values.length;
  const rngOf = (step: number) => createRng({ seed: 4, stream: 'bootstrap', step });

  it('hold the true mean of normal samples about 95 times in 100', () => {
    let held = 0;
    for (let step = 0; step < 200; step++) {
      const draw = createRng({ seed: 5, stream: 'sample', step });
      const values = Array.from({ length: 60 }, () => 3 + draw.normal());
      const options = { rng: rngOf(step), resamples: 400 };
      const [interval] = bootstrapIntervals([weightedMean(values)], 60, options);
      if (interval![0] <= 3 && 3 <= interval![1]) held++;
    }
    assert.ok(held >= 180 && held <= 198, `${held} of 200`);
  });

  it('are about as wide as four standard errors of the mean', () => {
    const draw = createRng({ seed: 6, stream: 'sample', step: 0 });
    const values = Array.from({ length: 200 }, () => draw.normal());
    const options = { rng: rngOf(0), resamples: 2000 };
    const [interval] = bootstrapIntervals([weightedMean(values)], 200, options);
    const width = interval![1] - interval![0];
    assertClose(width / standardError(values), 2 * 1.96, 0.25);
  });

  it('are the same for the same random numbers, whatever stands beside', () => {
    const [x, y] = randomPair(1, 80, 20);
    const [tau, rho] = [weightedKendallTau(x, y), weightedSpearman(x, y)];
    const intervals = (...statistics: (typeof tau)[]) =>
      bootstrapIntervals(statistics, 80, { rng: rngOf(1), resamples: 200 });
    assert.deepEqual(intervals(tau, rho)[1], intervals(rho)[0]);
    assert.deepEqual(intervals(tau, rho), intervals(tau, rho));
  });

  it('leave out resamples without a value, and are NaN where there is none', () => {
    const few = bootstrapIntervals([weightedKendallTau([1, 2, 3], [1, 2, 3])], 3, {
      rng: rngOf(2),
      resamples: 200,
    });
    assert.deepEqual(few, [[1, 1]]);
    const none = bootstrapIntervals([() => NaN], 3, { rng: rngOf(3), resamples: 5 });
    assert.deepEqual(none, [[NaN, NaN]]);
  });

  it('take less than three seconds for 1,000 resamples of 400 pairs', () => {
    const [x, y] = randomPair(1, 400, 200);
    const begin = performance.now();
    bootstrapIntervals([weightedKendallTau(x, y)], 400, { rng: rngOf(4), resamples: 1000 });
    assert.ok(performance.now() - begin < 3000);
  });
});

describe('the mean and its standard error', () => {
  it('are those computed by hand', () => {
    assert.equal(mean([2, 4, 9]), 5);
    assertClose(standardError([2, 4, 9]), Math.sqrt(26 / 2 / 3));
    assert.equal(standardError([7]), 0);
  });
});

describe('topKOverlap', () => {
  it('is the share of the best that both lists name', () => {
    const x = [9, 8, 7, 1, 2, 3];
    assert.equal(topKOverlap(x, [9, 8, 1, 7, 2, 3], 3), 2 / 3);
    assert.equal(topKOverlap(x, x, 3), 1);
    assert.equal(topKOverlap(x, x.map((value) => -value), 3), 0); // prettier-ignore
    assert.equal(topKOverlap(x, [0, 0, 0, 0, 0, 1], 6), 1);
  });

  it('breaks ties at the edge at random, so that the order of the lists means nothing', () => {
    // The best two of y are its first and one of the other three.
    assertClose(topKOverlap([4, 3, 2, 1], [9, 5, 5, 5], 2), (1 + 1 / 3) / 2);
    assertClose(topKOverlap([1, 3, 2, 4], [5, 5, 5, 9], 2), (1 + 1 / 3) / 2);
    assertClose(topKOverlap([4, 3, 2, 1], [5, 5, 5, 5], 1), 1 / 4);
  });

  it('is the size of a cut of sets where nothing is tied', () => {
    const distinct = fc.uniqueArray(fc.integer(), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(distinct, distinct, fc.integer({ min: 1, max: 12 }), (x, y, k) => {
        const best = (list: readonly number[]): Set<number> => {
          const order = list.map((_, i) => i).sort((a, b) => list[b]! - list[a]!);
          return new Set(order.slice(0, k));
        };
        const both = [...best(x)].filter((i) => best(y).has(i));
        assertClose(topKOverlap(x, y, k), both.length / k);
      }),
    );
  });

  it('refuses a number of nets that the lists do not have', () => {
    for (const k of [0, 3, NaN]) assert.throws(() => topKOverlap([1, 2], [1, 2], k), RangeError);
  });
});
