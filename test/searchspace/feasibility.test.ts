import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { macsBudget, networkBudget, OPEN_BUDGET } from '../../src/searchspace/budget.ts';
import { macsModel, paramsModel } from '../../src/searchspace/cost-model.ts';
import { feasibility } from '../../src/searchspace/feasibility.ts';
import { pathOfCode } from '../../src/searchspace/path.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { creamSpace, shippedSpace } from '../support/spaces.ts';

const macro = shippedSpace('nas-bench-macro');

function allPaths(): readonly Path[] {
  return Array.from({ length: 3 ** 8 }, (_, i) => {
    const code = i.toString(3).padStart(8, '0');
    return pathOfCode(macro, code, code);
  });
}

describe('feasibility', () => {
  it('finds the extremes and the exact share that pricing all networks finds', () => {
    const macs = allPaths().map((path) => pathCost(macro, path).macs);
    const budget = { minMacs: 40e6, maxMacs: 60e6 };
    const inside = macs.filter((each) => each >= budget.minMacs && each <= budget.maxMacs);
    const report = feasibility(macro, macsBudget(macro, budget));
    assert.equal(report.smallest.macs, Math.min(...macs));
    assert.equal(report.largest.macs, Math.max(...macs));
    assert.equal(report.share, inside.length / macs.length);
    assert.deepEqual(report.shareInterval, [report.share, report.share]);
    assert.equal(report.exact, true);
  });

  it('names the extreme networks themselves', () => {
    const { smallest, largest } = feasibility(macro, OPEN_BUDGET);
    assert.equal(pathCost(macro, smallest.path).macs, smallest.macs);
    assert.equal(pathCost(macro, largest.path).macs, largest.macs);
    assert.deepEqual(largest.path, [2, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('counts both ends of the budget as inside', () => {
    const { macs } = pathCost(macro, [0, 1, 2, 0, 1, 2, 0, 1]);
    assert.ok(feasibility(macro, macsBudget(macro, { minMacs: macs, maxMacs: macs })).share > 0);
  });

  it('estimates the share of a large space with an interval around it, the same each time', () => {
    const space = creamSpace([4, 4, 4, 4, 4]);
    const budget = macsBudget(space, { minMacs: 0, maxMacs: 400e6 });
    const report = feasibility(space, budget);
    const [low, high] = report.shareInterval;
    assert.equal(report.exact, false);
    assert.ok(low < report.share && report.share < high && high - low < 0.015);
    assert.deepEqual(feasibility(space, budget), report);
  });

  it('counts the smallest network of a space of too many totals, and its twins', () => {
    const space = creamSpace([4, 4, 4, 4, 4]);
    const { smallest } = feasibility(space, OPEN_BUDGET);
    const report = feasibility(space, macsBudget(space, { minMacs: 0, maxMacs: smallest.macs }));
    const { table } = macsModel(space);
    const twins = table.choices.map((costs) => costs.filter((cost) => cost === Math.min(...costs)));
    const share = twins.reduce((product, same) => product * same.length, 1) / 6 ** 20;
    assert.ok(Math.abs(report.share / share - 1) < 1e-12, `${report.share} for ${share}`);
    assert.equal(report.exact, true);
  });

  it("holds Wilson's interval above zero when no sampled network is inside", () => {
    // The sample holds no network that is one of a hundred thousand; the search for one goes on.
    let looks = 0;
    const cost = (): number => (++looks > 20_000 ? 1 : 0);
    const model = { name: 'energy', unit: 'joules', cost, table: null };
    const report = feasibility(macro, { ranges: [{ model, min: 1, max: 1 }] });
    // z^2 / (n + z^2) with z = 1.959964 and n = 20,000.
    assert.equal(report.share, 0);
    assert.ok(Math.abs(report.shareInterval[1] - 1.9203613e-4) < 1e-10);
    assert.ok(report.shareInterval[0] < 1e-12);
    assert.equal(looks, 20_001);
  });

  it('has a narrow share of a large space estimated well, where a plain sample has few in it', () => {
    const space = creamSpace([4, 4, 4, 4, 4]);
    const rng = createRng({ seed: 1, stream: 'plain', step: 0 });
    const { cost } = macsModel(space);
    const plain = Array.from({ length: 100_000 }, () =>
      cost(space.choices.map(({ candidates }) => rng.below(candidates.length))),
    ).sort((a, b) => a - b);
    const [minMacs, maxMacs] = [plain[50_000]!, plain[50_999]!];
    const { share, shareInterval, exact } = feasibility(space, macsBudget(space, { minMacs, maxMacs })); // prettier-ignore
    // 1,000 of 100,000, with a standard error of 3 %.
    assert.ok(Math.abs(share - 0.01) < 4 * 0.0003, String(share));
    assert.ok(shareInterval[1] - shareInterval[0] < 0.0005);
    assert.equal(exact, false);
  });

  it('is all of the space, exactly, when the budget admits every network', () => {
    const { share, exact } = feasibility(creamSpace([4, 4, 4, 4, 4]), OPEN_BUDGET);
    assert.deepEqual({ share, exact }, { share: 1, exact: true });
  });

  it('counts parameters as it counts multiply-accumulates', () => {
    const params = allPaths().map((path) => pathCost(macro, path).params);
    const range = { model: paramsModel(macro), min: 1e6, max: 2e6 };
    const inside = params.filter((each) => each >= range.min && each <= range.max);
    const report = feasibility(macro, { ranges: [range] });
    assert.deepEqual(
      { share: report.share, exact: report.exact },
      { share: inside.length / params.length, exact: true },
    );
  });

  it('counts the share inside two ranges at once', () => {
    const costs = allPaths().map((path) => pathCost(macro, path));
    const inside = costs.filter(({ macs, params }) => macs <= 50e6 && params <= 2e6);
    const limits = { minMacs: 0, maxMacs: 50e6, minParams: 0, maxParams: 2e6 };
    const { share, exact } = feasibility(macro, networkBudget(macro, limits));
    assert.deepEqual({ share, exact }, { share: inside.length / costs.length, exact: true });
  });

  it('refuses two ranges that each hold networks, but not the same, and names both', () => {
    const smallest = paramsModel(macro).cost(macro.choices.map(() => 0));
    const limits = { minMacs: 50e6, minParams: 0, maxParams: smallest };
    assert.throws(
      () => feasibility(macro, networkBudget(macro, limits)),
      (thrown: unknown) =>
        thrown instanceof TrialError &&
        thrown.code === 'BUDGET_UNREACHABLE' &&
        thrown.message.includes(`minMacs 50000000, minParams 0, maxParams ${smallest}`) &&
        thrown.message.includes('from 387882 to 2932586 parameters'),
    );
  });

  it('refuses a budget that holds networks, but none that the prior allows', () => {
    const budget = macsBudget(macro, { minMacs: 30e6, maxMacs: Infinity });
    const { share } = feasibility(macro, budget, { identity: 1, mb6_k5: 1 });
    assert.equal(share, feasibility(macro, budget).share);
    assert.throws(
      () => feasibility(macro, budget, { identity: 1 }),
      (thrown: unknown) => thrown instanceof TrialError && thrown.code === 'BUDGET_UNREACHABLE',
    );
  });

  it('estimates the share of a budget over costs that do not add up', () => {
    const { cost } = macsModel(macro);
    const model = { name: 'energy', unit: 'joules', cost, table: null };
    const report = feasibility(macro, { ranges: [{ model, min: 40e6, max: 60e6 }] });
    const exact = feasibility(macro, macsBudget(macro, { minMacs: 40e6, maxMacs: 60e6 }));
    const [low, high] = report.shareInterval;
    assert.equal(report.exact, false);
    assert.ok(low <= exact.share && exact.share <= high);
  });

  it('refuses a budget without networks and names the bounds', () => {
    const budgets = [
      { minMacs: 0, maxMacs: 7_713_279 },
      { minMacs: 105_660_929, maxMacs: Infinity },
      { minMacs: 60e6, maxMacs: 50e6 },
      { minMacs: 7_713_281, maxMacs: 7_713_282 },
    ];
    for (const budget of budgets) {
      assert.throws(
        () => feasibility(macro, macsBudget(macro, budget)),
        (thrown: unknown) =>
          thrown instanceof TrialError &&
          thrown.code === 'BUDGET_UNREACHABLE' &&
          thrown.message.includes('from 7713280 to 105660928'),
      );
    }
  });
});
