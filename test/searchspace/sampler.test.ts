import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, drawIndex, type Rng } from '../../src/foundation/rng.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import { admits, macsBudget, OPEN_BUDGET, type Budget } from '../../src/searchspace/budget.ts';
import { macsModel, paramsModel, type CostModel } from '../../src/searchspace/cost-model.ts';
import { feasibility } from '../../src/searchspace/feasibility.ts';
import { samplePath, type SamplerOptions } from '../../src/searchspace/sampler.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { mayComeFrom } from '../support/chi-square.ts';
import { shippedSpace } from '../support/spaces.ts';

const space = shippedSpace('nas-bench-macro');
const macs = macsModel(space);
const params = paramsModel(space);
const anywhere: SamplerOptions = { budget: OPEN_BUDGET, prior: null };

/** Path of each step, each from its own generator as in a search. */
function draw(count: number, options: SamplerOptions): Path[] {
  return Array.from({ length: count }, (_, step) =>
    samplePath(space, options, createRng({ seed: 3, stream: 'path', step })),
  );
}

/** Pearson's statistic of observed categories against their expected shares. */
function chiSquare(observed: readonly number[], shares: readonly number[]): number {
  return shares.reduce((sum, share, category) => {
    const expected = share * observed.length;
    const count = observed.filter((value) => value === category).length;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

// Quantiles of the chi-square distribution at 1 - 1e-4.
const CRITICAL_2_DF = 18.42;
const CRITICAL_8_DF = 31.83;

/** What seeds gave before budgets were counted: uniformly, and by a prior. */
const OPEN_TEXTS = [
  ['22210112', '10202112', '21022102', '20201020'],
  ['22100011', '10202102', '21011002', '10200010'],
];

/** All networks between 30.0 and 30.3 million multiply-accumulates, and their costs. */
const narrow = macsBudget(space, { minMacs: 30e6, maxMacs: 30.3e6 });
const narrowPaths = Array.from({ length: 3 ** 8 }, (_, i) =>
  Array.from(i.toString(3).padStart(8, '0'), Number),
).filter((path) => admits(narrow, path));
const narrowCosts = narrowPaths.map(macs.cost);

const PRIORS: readonly (readonly [string, SamplerOptions['prior']])[] = [
  ['uniform chances', null],
  ['a prior', { identity: 3, mb3_k3: 2, mb6_k5: 1 }],
];

/** Draws of each network of the narrow budget. */
function countDraws(paths: readonly Path[]): number[] {
  const texts = paths.map(String);
  return narrowPaths.map((path) => texts.filter((text) => text === String(path)).length);
}

/** Chances of each candidate: those of the prior. */
function chances(prior: SamplerOptions['prior']): readonly number[] {
  return space.candidateNames.map((name) => prior?.[name] ?? 1);
}

/** Draws of each network of the narrow budget that are expected. */
function expectedOf(prior: SamplerOptions['prior'], draws: number): number[] {
  const weights = narrowPaths.map((path) =>
    path.reduce((product, candidate) => product * chances(prior)[candidate]!, 1),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (draws * weight) / total);
}

/** A wrong sampler: by its chance any candidate after which the budget can still be kept. */
function avoidDeadEnds(prior: SamplerOptions['prior'], rng: Rng): Path {
  const path: number[] = [];
  while (path.length < space.choices.length) {
    const left = narrowPaths.filter((each) => path.every((candidate, i) => each[i] === candidate));
    const isAlive = (c: number): boolean => left.some((each) => each[path.length] === c);
    path.push(drawIndex(chances(prior).map((chance, c) => (isAlive(c) ? chance : 0)), rng)); // prettier-ignore
  }
  return path;
}

/** A budget with its first model exchanged for one that counts how often it is asked. */
function lookedAt(model: CostModel, budget: Budget): { budget: Budget; count: () => number } {
  let looks = 0;
  const cost = (path: Path): number => {
    looks++;
    return model.cost(path);
  };
  const [first, ...others] = budget.ranges;
  const ranges = [{ ...first!, model: { ...model, cost } }, ...others];
  return { budget: { ranges }, count: () => looks };
}

describe('samplePath', () => {
  it('takes every candidate of every block equally often, blocks independently', () => {
    const paths = draw(6000, anywhere);
    space.choices.forEach((_, block) => {
      const statistic = chiSquare(paths.map((path) => path[block]!), [1 / 3, 1 / 3, 1 / 3]); // prettier-ignore
      assert.ok(statistic < CRITICAL_2_DF, `block ${block}: chi-square ${statistic}`);
    });
    for (let block = 1; block < space.choices.length; block++) {
      const pairs = paths.map((path) => 3 * path[block - 1]! + path[block]!);
      const statistic = chiSquare(pairs, new Array<number>(9).fill(1 / 9));
      assert.ok(statistic < CRITICAL_8_DF, `blocks ${block - 1}, ${block}: ${statistic}`);
    }
  });

  it('follows a prior given by candidate name, scaled to any sum', () => {
    const prior = { mb6_k5: 2, identity: 5, mb3_k3: 3 };
    const paths = draw(6000, { ...anywhere, prior });
    space.choices.forEach((_, block) => {
      const observed = paths.map((path) => path[block]!);
      const statistic = chiSquare(observed, [0.5, 0.3, 0.2]);
      assert.ok(statistic < CRITICAL_2_DF, `block ${block}: chi-square ${statistic}`);
    });
  });

  it('never draws a candidate that the prior leaves out', () => {
    const paths = draw(500, { ...anywhere, prior: { identity: 1, mb3_k3: 1 } });
    assert.deepEqual([...new Set(paths.flat())].sort(), [0, 1]);
  });

  it('keeps every path inside the range, both ends included', () => {
    const macsOf = (path: Path): number => pathCost(space, path).macs;
    const costs = draw(200, anywhere)
      .map(macsOf)
      .sort((a, b) => a - b);
    const [minMacs, maxMacs] = [costs[40]!, costs[80]!];
    assert.ok(minMacs < maxMacs);
    const budget = macsBudget(space, { minMacs, maxMacs });
    const limited = draw(200, { budget, prior: null }).map(macsOf);
    assert.ok(limited.every((value) => value >= minMacs && value <= maxMacs));
    assert.ok(new Set(limited).size > 10, 'many different paths');
  });

  it('draws the paths that a seed has always given, where the budget leaves nothing out', () => {
    const prior = { identity: 3, mb3_k3: 2, mb6_k5: 1 };
    const all = macsBudget(space, { minMacs: 7_713_280, maxMacs: Infinity });
    for (const budget of [OPEN_BUDGET, all]) {
      const texts = [null, prior].map((each) =>
        draw(4, { budget, prior: each }).map((path) => path.join('')),
      );
      assert.deepEqual(texts, OPEN_TEXTS);
    }
  });

  it('draws from a counted budget with one look at the cost of each path', () => {
    const looked = lookedAt(macs, narrow);
    draw(100, { budget: looked.budget, prior: null });
    assert.equal(looked.count(), 100);
  });

  for (const [name, prior] of PRIORS) {
    it(`draws every network of a narrow budget as often as ${name} says`, () => {
      const counts = countDraws(draw(8_000, { budget: narrow, prior }));
      assert.ok(mayComeFrom(counts, expectedOf(prior, 8_000)), String(counts));
    });

    it(`tells a sampler that only avoids dead ends from one that draws as ${name} says`, () => {
      const drawn = Array.from({ length: 8_000 }, (_, step) =>
        avoidDeadEnds(prior, createRng({ seed: 3, stream: 'path', step })),
      );
      assert.ok(drawn.every((path) => admits(narrow, path)));
      assert.ok(!mayComeFrom(countDraws(drawn), expectedOf(prior, 8_000)));
    });
  }

  it('draws one network, and both ends of a range, where the budget is that', () => {
    const path = [0, 1, 2, 0, 1, 2, 0, 1];
    const ranges = [macs, params].map((model) => ({
      model,
      min: model.cost(path),
      max: model.cost(path),
    }));
    for (const drawn of draw(20, { budget: { ranges }, prior: null })) {
      assert.ok(ranges.every(({ model, min }) => model.cost(drawn) === min));
    }
    const ends = narrowCosts.map(Number);
    const seen = new Set(draw(2_000, { budget: narrow, prior: null }).map(macs.cost));
    assert.ok(seen.has(Math.min(...ends)) && seen.has(Math.max(...ends)));
  });

  it('refuses at once a budget between two totals, and one that only the prior empties', () => {
    const refused = (options: SamplerOptions): void => {
      const looked = lookedAt(macs, options.budget);
      assert.throws(
        () => draw(1, { ...options, budget: looked.budget }),
        (error) => error instanceof TrialError && error.code === 'BUDGET_UNREACHABLE',
      );
      assert.equal(looked.count(), 0);
    };
    refused({ budget: macsBudget(space, { minMacs: 7_713_281, maxMacs: 7_715_000 }), prior: null });
    refused({ budget: narrow, prior: { identity: 1 } });
  });

  it('gives up with an error after 200,000 misses, where costs do not add up', () => {
    let looks = 0;
    const cost = (): number => {
      looks++;
      return 100;
    };
    const model = { name: 'macs', unit: 'multiply-accumulates', cost, table: null };
    const budget = { ranges: [{ model, min: 0, max: 99 }] };
    assert.throws(
      () => draw(1, { budget, prior: null }),
      (error) =>
        error instanceof TrialError &&
        error.code === 'BUDGET_UNREACHABLE' &&
        error.message.includes('minMacs 0, maxMacs 99'),
    );
    assert.equal(looks, 200_000);
  });
});

describe('samplePath in the largest space that ships', () => {
  const cream = shippedSpace('cream');
  const model = macsModel(cream);
  const open: SamplerOptions = { budget: OPEN_BUDGET, prior: null };
  const some = Array.from({ length: 20_000 }, (_, step) =>
    samplePath(cream, open, createRng({ seed: 1, stream: 'some', step })),
  );

  /** The range of a thousandth of the space, from this share of it on. */
  function thousandth(of: CostModel, from: number): { model: CostModel; min: number; max: number } {
    const costs = some.map(of.cost).sort((a, b) => a - b);
    const at = (share: number): number => costs[Math.min(19_999, Math.floor(share * 20_000))]!;
    return { model: of, min: at(from), max: at(from + 0.001) };
  }

  for (const [where, from] of [
    ['lowest', 0],
    ['middle', 0.5],
    ['highest', 0.999],
  ] as const) {
    it(`starts in seconds in the ${where} thousandth, and hits it at least once in ten draws`, () => {
      const looked = lookedAt(model, { ranges: [thousandth(model, from)] });
      const begin = performance.now();
      const drawn = Array.from({ length: 100 }, (_, step) =>
        samplePath(
          cream,
          { ...open, budget: looked.budget },
          createRng({ seed: 3, stream: '', step }),
        ),
      );
      assert.ok(performance.now() - begin < 60_000);
      assert.ok(drawn.every((path) => admits(looked.budget, path)));
      assert.equal(new Set(drawn.map(String)).size, 100);
      // The first thousand looks tell whether drawing from the whole space would do.
      assert.ok(looked.count() - 1_000 <= 10 * 100, String(looked.count()));
    });
  }

  it('keeps to a thousandth that two ranges leave', () => {
    const middle = (of: CostModel): { model: CostModel; min: number; max: number } => {
      const costs = some.map(of.cost).sort((a, b) => a - b);
      return { model: of, min: costs[9_680]!, max: costs[10_320]! };
    };
    const budget = { ranges: [middle(model), middle(paramsModel(cream))] };
    const { share, exact } = feasibility(cream, budget);
    assert.ok(!exact && share > 0.0005 && share < 0.0015, String(share));
    const drawn = Array.from({ length: 50 }, (_, step) =>
      samplePath(cream, { ...open, budget }, createRng({ seed: 3, stream: '', step })),
    );
    assert.ok(drawn.every((path) => admits(budget, path)));
  });
});
