import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pathCost } from '../../src/searchspace/cost.ts';
import { additiveModel, macsModel, paramsModel } from '../../src/searchspace/cost-model.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';
import { creamSpace, shippedSpace } from '../support/spaces.ts';

function pathsOf({ choices }: SearchSpace): fc.Arbitrary<Path> {
  return fc.tuple(...choices.map(({ candidates }) => fc.nat(candidates.length - 1)));
}

describe('the cost models', () => {
  const spaces = [shippedSpace('nas-bench-macro'), creamSpace([4, 4, 5, 4, 4])];

  it('give for every path the very integers that counting the whole network gives', () => {
    for (const space of spaces) {
      const [macs, params] = [macsModel(space), paramsModel(space)];
      fc.assert(
        fc.property(pathsOf(space), (path) => {
          const counted = pathCost(space, path);
          assert.equal(macs.cost(path), counted.macs);
          assert.equal(params.cost(path), counted.params);
        }),
      );
    }
  });

  it('agree with counting on all 6,561 networks of NAS-Bench-Macro', () => {
    const space = shippedSpace('nas-bench-macro');
    const macs = macsModel(space);
    for (let i = 0; i < 3 ** 8; i++) {
      const path = Array.from(i.toString(3).padStart(8, '0'), Number);
      assert.equal(macs.cost(path), pathCost(space, path).macs);
    }
  });

  it('refuse a path of another space', () => {
    const { cost } = macsModel(shippedSpace('nas-bench-macro'));
    assert.throws(() => cost([0]), RangeError);
    assert.throws(() => cost([0, 0, 0, 0, 0, 0, 0, 3]), RangeError);
    assert.throws(() => cost([0, 0, 0, 0, 0, 0, 0, 0.5]), RangeError);
  });

  it('take a table that was measured, such as the latency of a device', () => {
    const latency = additiveModel(
      { name: 'latency', unit: 'milliseconds' },
      { fixed: 0.5, choices: [[0, 1.25], [2, 4]] }, // prettier-ignore
    );
    assert.equal(latency.cost([1, 0]), 3.75);
    assert.equal(latency.cost([0, 1]), 4.5);
  });
});
