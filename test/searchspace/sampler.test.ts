import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createRng } from '../../src/foundation/rng.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import { macsBudget, OPEN_BUDGET } from '../../src/searchspace/budget.ts';
import { samplePath, type SamplerOptions } from '../../src/searchspace/sampler.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { fullSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import type { Path } from '../../src/searchspace/space.ts';

const file = new URL('../../nni-config/skeletons/nas-bench-macro.json', import.meta.url);
const space = fullSpace(parseSkeleton(JSON.parse(readFileSync(file, 'utf8')), file.pathname));
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
    const macs = draw(200, anywhere)
      .map(macsOf)
      .sort((a, b) => a - b);
    const [minMacs, maxMacs] = [macs[40]!, macs[80]!];
    assert.ok(minMacs < maxMacs);
    const budget = macsBudget(space, { minMacs, maxMacs });
    const limited = draw(200, { budget, prior: null }).map(macsOf);
    assert.ok(limited.every((value) => value >= minMacs && value <= maxMacs));
    assert.ok(new Set(limited).size > 10, 'many different paths');
  });

  it('draws the paths that a seed has always given, in a budget and by a prior', () => {
    const budget = macsBudget(space, { minMacs: 40e6, maxMacs: 60e6 });
    const prior = { identity: 3, mb3_k3: 2, mb6_k5: 1 };
    const texts = [null, prior].map((each) =>
      draw(4, { budget, prior: each }).map((path) => path.join('')),
    );
    assert.deepEqual(texts, [
      ['12001020', '10202112', '10120202', '20201020'],
      ['22100011', '10202102', '21011002', '12200100'],
    ]);
  });

  it('gives up with an error after 10,000 misses', () => {
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
    assert.equal(looks, 10_000);
  });
});
