import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  admits,
  describeBudget,
  macsBudget,
  networkBudget,
  OPEN_BUDGET,
  type Budget,
} from '../../src/searchspace/budget.ts';
import { macsModel, paramsModel } from '../../src/searchspace/cost-model.ts';
import { shippedSpace } from '../support/spaces.ts';

const space = shippedSpace('nas-bench-macro');
const path = [0, 1, 2, 0, 1, 2, 0, 1];
const macs = macsModel(space).cost(path);
const params = paramsModel(space).cost(path);

describe('a budget', () => {
  it('admits both ends of its range and nothing beyond them', () => {
    const within = (minMacs: number, maxMacs: number): boolean =>
      admits(macsBudget(space, { minMacs, maxMacs }), path);
    assert.ok(within(macs, macs));
    assert.ok(within(0, Infinity));
    assert.ok(!within(macs + 1, Infinity));
    assert.ok(!within(0, macs - 1));
  });

  it('admits a network that keeps to all of its ranges, and no other', () => {
    const both = (maxMacs: number, maxParams: number): Budget => ({
      ranges: [
        { model: macsModel(space), min: 0, max: maxMacs },
        { model: paramsModel(space), min: 0, max: maxParams },
      ],
    });
    assert.ok(admits(both(macs, params), path));
    assert.ok(!admits(both(macs - 1, params), path));
    assert.ok(!admits(both(macs, params - 1), path));
  });

  it('holds the limits of a config, and parameters only where the config limits them', () => {
    const least = { minMacs: 0, minParams: 0 };
    const named = (limits: object): string =>
      describeBudget(networkBudget(space, { ...least, ...limits }));
    assert.equal(named({}), 'minMacs 0');
    assert.equal(named({ maxMacs: 7 }), 'minMacs 0, maxMacs 7');
    assert.equal(named({ minParams: 3 }), 'minMacs 0, minParams 3');
    const budget = networkBudget(space, { ...least, maxMacs: macs, maxParams: params });
    assert.ok(admits(budget, path));
    const tighter = networkBudget(space, { ...least, maxMacs: macs, maxParams: params - 1 });
    assert.ok(!admits(tighter, path));
  });

  it('admits every network when it has no ranges', () => {
    assert.ok(admits(OPEN_BUDGET, path));
  });

  it('is told under the keys of a trial config, without ends that bound nothing', () => {
    assert.equal(describeBudget(OPEN_BUDGET), 'no budget');
    const budget = macsBudget(space, { minMacs: 5, maxMacs: Infinity });
    assert.equal(describeBudget(budget), 'minMacs 5');
    const more = { model: paramsModel(space), min: 0, max: 9 };
    assert.equal(
      describeBudget({ ranges: [...budget.ranges, more] }),
      'minMacs 5, minParams 0, maxParams 9',
    );
  });
});
