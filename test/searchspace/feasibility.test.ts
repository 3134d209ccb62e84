import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { feasibility } from '../../src/searchspace/feasibility.ts';
import { pathOfCode } from '../../src/searchspace/path.ts';
import { creamSpace, shippedSpace } from '../support/spaces.ts';

const macro = shippedSpace('nas-bench-macro');

function allMacs(): readonly number[] {
  return Array.from({ length: 3 ** 8 }, (_, i) => {
    const code = i.toString(3).padStart(8, '0');
    return pathCost(macro, pathOfCode(macro, code, code)).macs;
  });
}

describe('feasibility', () => {
  it('finds the extremes and the exact share that pricing all networks finds', () => {
    const macs = allMacs();
    const budget = { minMacs: 40e6, maxMacs: 60e6 };
    const inside = macs.filter((each) => each >= budget.minMacs && each <= budget.maxMacs);
    const report = feasibility(macro, budget);
    assert.equal(report.smallest.macs, Math.min(...macs));
    assert.equal(report.largest.macs, Math.max(...macs));
    assert.equal(report.share, inside.length / macs.length);
    assert.deepEqual(report.shareInterval, [report.share, report.share]);
    assert.equal(report.exact, true);
  });

  it('names the extreme networks themselves', () => {
    const { smallest, largest } = feasibility(macro, { minMacs: 0, maxMacs: Infinity });
    assert.equal(pathCost(macro, smallest.path).macs, smallest.macs);
    assert.equal(pathCost(macro, largest.path).macs, largest.macs);
    assert.deepEqual(largest.path, [2, 2, 2, 2, 2, 2, 2, 2]);
  });

  it('counts both ends of the budget as inside', () => {
    const { macs } = pathCost(macro, [0, 1, 2, 0, 1, 2, 0, 1]);
    assert.ok(feasibility(macro, { minMacs: macs, maxMacs: macs }).share > 0);
  });

  it('estimates the share of a large space with an interval around it, the same each time', () => {
    const space = creamSpace([4, 4, 4, 4, 4]);
    const report = feasibility(space, { minMacs: 0, maxMacs: 400e6 });
    const [low, high] = report.shareInterval;
    assert.equal(report.exact, false);
    assert.ok(low < report.share && report.share < high && high - low < 0.015);
    assert.deepEqual(feasibility(space, { minMacs: 0, maxMacs: 400e6 }), report);
  });

  it("holds Wilson's interval above zero when no sampled network is inside", () => {
    const space = creamSpace([4, 4, 4, 4, 4]);
    const { smallest } = feasibility(space, { minMacs: 0, maxMacs: Infinity });
    const report = feasibility(space, { minMacs: 0, maxMacs: smallest.macs });
    // z^2 / (n + z^2) with z = 1.959964 and n = 20,000.
    assert.equal(report.share, 0);
    assert.ok(Math.abs(report.shareInterval[1] - 1.9203613e-4) < 1e-10);
    assert.ok(report.shareInterval[0] < 1e-12);
  });

  it('is all of the space, exactly, when the budget admits every network', () => {
    const { share, exact } = feasibility(creamSpace([4, 4, 4, 4, 4]), {
      minMacs: 0,
      maxMacs: Infinity,
    });
    assert.deepEqual({ share, exact }, { share: 1, exact: true });
  });

  it('R14: refuses a budget without networks and names the bounds', () => {
    const budgets = [
      { minMacs: 0, maxMacs: 7_713_279 },
      { minMacs: 105_660_929, maxMacs: Infinity },
      { minMacs: 60e6, maxMacs: 50e6 },
      { minMacs: 7_713_281, maxMacs: 7_713_282 },
    ];
    for (const budget of budgets) {
      assert.throws(
        () => feasibility(macro, budget),
        (thrown: unknown) =>
          thrown instanceof TrialError &&
          thrown.code === 'BUDGET_UNREACHABLE' &&
          thrown.message.includes('from 7713280 to 105660928'),
      );
    }
  });
});
