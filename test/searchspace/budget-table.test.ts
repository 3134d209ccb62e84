import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRng } from '../../src/foundation/rng.ts';
import {
  countedTable,
  coveringTable,
  type BudgetTable,
  type TableRange,
  type Weights,
} from '../../src/searchspace/budget-table.ts';
import { additiveModel, type CostTable } from '../../src/searchspace/cost-model.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { mayComeFrom } from '../support/chi-square.ts';

/** All paths of a space with so many candidates a block. */
function allPaths([first, ...others]: readonly number[]): Path[] {
  if (first === undefined) return [[]];
  const rests = allPaths(others);
  return Array.from({ length: first }, (_, c) => rests.map((rest) => [c, ...rest])).flat();
}

function weightOf(weights: Weights, path: Path): number {
  return path.reduce((product, candidate, i) => product * weights[i]![candidate]!, 1);
}

/** Whether the model of each range prices the path inside it. */
function isInside(ranges: readonly TableRange[], path: Path): boolean {
  return ranges.every(({ table, min, max }) => {
    const cost = additiveModel({ name: 'cost', unit: 'units' }, table).cost(path);
    return cost >= min && cost <= max;
  });
}

/** Paths that can be drawn, with their share of the weight, by looking at every one. */
function enumerate(
  ranges: readonly TableRange[],
  weights: Weights,
): { readonly inside: Path[]; readonly share: number } {
  const all = allPaths(weights.map((ofBlock) => ofBlock.length));
  const total = all.reduce((sum, path) => sum + weightOf(weights, path), 0);
  const inside = all.filter((path) => weightOf(weights, path) > 0 && isInside(ranges, path));
  const share = inside.reduce((sum, path) => sum + weightOf(weights, path), 0) / total;
  return { inside, share };
}

function drawMany(table: BudgetTable, count: number): Path[] {
  const rng = createRng({ seed: 11, stream: 'table', step: 0 });
  return Array.from({ length: count }, () => table.draw(rng));
}

interface SmallBudget {
  readonly ranges: readonly TableRange[];
  readonly weights: Weights;
}

/** Small spaces with one or two ranges, whose costs are whole or not. */
const smallBudgets: fc.Arbitrary<SmallBudget> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 })
  .chain((sizes) => {
    const perBlock = (number: fc.Arbitrary<number>) =>
      fc.tuple(...sizes.map((size) => fc.array(number, { minLength: size, maxLength: size })));
    const whole = fc.integer({ min: 0, max: 20 });
    const broken = fc.integer({ min: 0, max: 2000 }).map((each) => each / 7);
    const end = fc.integer({ min: 0, max: 120 });
    const range = fc
      .record({
        fixed: whole,
        choices: fc.oneof(perBlock(whole), perBlock(broken)),
        a: end,
        b: end,
      })
      .map(({ fixed, choices, a, b }) => ({
        table: { fixed, choices },
        min: Math.min(a, b),
        max: Math.max(a, b),
      }));
    const weights = perBlock(fc.constantFrom(0, 0.25, 1, 3)).map((blocks) =>
      blocks.map((ofBlock) => (ofBlock.some((w) => w > 0) ? ofBlock : ofBlock.map(() => 1))),
    );
    return fc.record({ ranges: fc.array(range, { minLength: 1, maxLength: 2 }), weights });
  });

const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 * Math.max(1, a, b);

describe('a table of counts', () => {
  it('counts and draws what enumeration finds, in small spaces with whole costs', () => {
    let [counted, empty] = [0, 0];
    const property = fc.property(smallBudgets, ({ ranges, weights }) => {
      const table = countedTable(ranges, weights);
      if (table === null) return;
      const { inside, share } = enumerate(ranges, weights);
      assert.equal(table.isExact, true);
      assert.equal(table.isEmpty, inside.length === 0);
      assert.ok(near(table.share, share), `${table.share} for ${share}`);
      counted++;
      empty += Number(table.isEmpty);
      if (table.isEmpty) return;
      const keys = new Set(inside.map(String));
      for (const path of drawMany(table, 20)) assert.ok(keys.has(String(path)), String(path));
    });
    fc.assert(property, { numRuns: 600, seed: 4 });
    assert.ok(counted > 200 && empty > 20 && counted - empty > 100, `${counted}, ${empty} empty`);
  });

  it('covers all that enumeration finds, in small spaces with any costs', () => {
    const hits: number[] = [];
    const property = fc.property(smallBudgets, ({ ranges, weights }) => {
      const table = coveringTable(ranges, weights);
      const { inside, share } = enumerate(ranges, weights);
      assert.ok(table.share >= share - 1e-12, `${table.share} for ${share}`);
      if (table.isEmpty) assert.equal(inside.length, 0);
      if (inside.length === 0) return;
      const drawn = drawMany(table, 50);
      assert.ok(drawn.every((path) => weightOf(weights, path) > 0));
      hits.push(drawn.filter((path) => isInside(ranges, path)).length / drawn.length);
    });
    fc.assert(property, { numRuns: 400, seed: 4 });
    const mean = hits.reduce((sum, each) => sum + each, 0) / hits.length;
    assert.ok(hits.length > 50 && mean > 0.7, `${mean} of ${hits.length}`);
  });

  it('draws by weight, counted or covered', () => {
    const tested = { counted: 0, covered: 0 };
    const property = fc.property(smallBudgets, ({ ranges, weights }) => {
      const { inside, share } = enumerate(ranges, weights);
      const counted = countedTable(ranges, weights);
      for (const table of [counted, coveringTable(ranges, weights)]) {
        // A test of few draws, or of one path, would tell nothing.
        if (table === null || inside.length < 2 || share < 0.02 * table.share) continue;
        const keys = inside.map(String);
        const drawn = drawMany(table, 4000).filter((path) => isInside(ranges, path));
        const total = inside.reduce((sum, path) => sum + weightOf(weights, path), 0);
        const expected = inside.map((path) => (drawn.length * weightOf(weights, path)) / total);
        if (Math.min(...expected) < 5) continue;
        const counts = keys.map((key) => drawn.filter((path) => String(path) === key).length);
        tested[table === counted ? 'counted' : 'covered']++;
        assert.ok(mayComeFrom(counts, expected), `${String(counts)} for ${String(expected)}`);
      }
    });
    // One of a thousand right samplers fails at p = 0.001; with this seed none does.
    fc.assert(property, { numRuns: 100, seed: 4 });
    assert.ok(tested.counted >= 5 && tested.covered >= 10, JSON.stringify(tested));
  });

  it('keeps to both ends of a range, and refuses the gap between two totals', () => {
    const table: CostTable = { fixed: 1, choices: [[0, 10], [0, 20]] }; // prettier-ignore
    const weights = [[1, 1], [1, 1]]; // prettier-ignore
    const of = (min: number, max: number): BudgetTable => countedTable([{ table, min, max }], weights)!; // prettier-ignore
    assert.equal(of(11, 21).share, 0.5);
    assert.equal(of(11.5, 20.5).isEmpty, true);
    assert.equal(of(31, 31).share, 0.25);
    assert.equal(of(32, Infinity).isEmpty, true);
  });

  it('counts where there are more networks than a number can hold', () => {
    const choices = Array.from({ length: 1100 }, () => [0, 1]);
    const ranges = [{ table: { fixed: 0, choices }, min: 0, max: 3 }];
    const table = countedTable(ranges, choices.map(() => [1, 1]))!; // prettier-ignore
    assert.equal(table.isEmpty, false);
    const ones = drawMany(table, 200).map((path) => path.filter((each) => each === 1).length);
    // Of 1 + 1,100 + 604,450 + 221,228,700 networks, all but 0.3 % have three ones.
    assert.ok(
      ones.every((count) => count <= 3) && ones.filter((count) => count === 3).length > 190,
    );
  });
});
