import { TrialError } from '../foundation/errors.ts';
import { createRng } from '../foundation/rng.ts';
import { admits, describeBudget, isInRange, type Budget, type CostRange } from './budget.ts';
import { macsModel, type CostTable } from './cost-model.ts';
import type { Path, SearchSpace } from './space.ts';

/** A network and its multiply-accumulates. */
export interface Extreme {
  readonly path: Path;
  readonly macs: number;
}

/** How much of a space a budget admits. */
export interface Feasibility {
  readonly smallest: Extreme;
  readonly largest: Extreme;
  /** Fraction of the networks of the space that are inside the budget. */
  readonly share: number;
  /** Ends of the 95 % Wilson interval of an estimated share; both the share itself when exact. */
  readonly shareInterval: readonly [number, number];
  /** Whether all networks were counted rather than a sample of them. */
  readonly exact: boolean;
}

/** With more different totals than this, sampling replaces counting. */
const MAX_SUMS = 100_000;
/** Additions that counting may take: some seconds. */
const MAX_ADDITIONS = 10_000_000;
const SAMPLES = 20_000;
const NORMAL_97_5 = 1.959964;

/** Costs add up over blocks, so the extreme network is extreme in every block. */
function extreme(
  { fixed, choices }: CostTable,
  pick: (...costs: readonly number[]) => number,
): { readonly path: Path; readonly cost: number } {
  const path = choices.map((costs) => costs.indexOf(pick(...costs)));
  const cost = choices.reduce((total, costs) => total + pick(...costs), fixed);
  return { path, cost };
}

/** Number of networks at each total, or null if counting takes too long. */
function countByCost({ fixed, choices }: CostTable): ReadonlyMap<number, bigint> | null {
  let counts = new Map([[fixed, 1n]]);
  let additions = 0;
  for (const costs of choices) {
    const next = new Map<number, bigint>();
    for (const [total, count] of counts) {
      for (const more of costs) next.set(total + more, (next.get(total + more) ?? 0n) + count);
      additions += costs.length;
      if (next.size > MAX_SUMS || additions > MAX_ADDITIONS) return null;
    }
    counts = next;
  }
  return counts;
}

function exactShare(counts: ReadonlyMap<number, bigint>, range: CostRange): number {
  let inside = 0n;
  let all = 0n;
  for (const [cost, count] of counts) {
    all += count;
    if (isInRange(range, cost)) inside += count;
  }
  // A number holds at most 1024 bits; the truncation of both is below its precision.
  const excess = BigInt(Math.max(0, all.toString(2).length - 1000));
  return Number(inside >> excess) / Number(all >> excess);
}

function sampledShare({ choices }: SearchSpace, budget: Budget): number {
  const rng = createRng({ seed: 0, stream: 'feasibility', step: 0 });
  let inside = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const path = choices.map(({ candidates }) => rng.below(candidates.length));
    if (admits(budget, path)) inside++;
  }
  return inside / SAMPLES;
}

/** @see Wilson, "Probable inference, the law of succession, and statistical inference" (1927). */
function wilsonInterval(share: number, samples: number): readonly [number, number] {
  const z2 = NORMAL_97_5 ** 2 / samples;
  const centre = share + z2 / 2;
  const spread = Math.sqrt(z2 * (share * (1 - share) + z2 / 4));
  return [Math.max(0, (centre - spread) / (1 + z2)), Math.min(1, (centre + spread) / (1 + z2))];
}

/** Smallest and largest cost of a network; unbounded if costs do not add up. */
function costEnds({ model: { table } }: CostRange): readonly [number, number] {
  if (table === null) return [-Infinity, Infinity];
  return [extreme(table, Math.min).cost, extreme(table, Math.max).cost];
}

function isEmpty(range: CostRange): boolean {
  const [smallest, largest] = costEnds(range);
  return range.max < smallest || range.min > largest || range.min > range.max;
}

function holdsAll(range: CostRange): boolean {
  return costEnds(range).every((end) => isInRange(range, end));
}

/** Share of the networks inside the budget, or null if there is provably none. */
function admittedShare(
  space: SearchSpace,
  budget: Budget,
): Pick<Feasibility, 'share' | 'shareInterval' | 'exact'> | null {
  if (budget.ranges.some(isEmpty)) return null;
  const [first, ...others] = budget.ranges.filter((range) => !holdsAll(range));
  if (first === undefined) return { share: 1, shareInterval: [1, 1], exact: true };
  const { table } = first.model;
  // Two ranges would need the number of networks at every pair of totals.
  const counts = table === null || others.length > 0 ? null : countByCost(table);
  if (counts === null) {
    const share = sampledShare(space, budget);
    return { share, shareInterval: wilsonInterval(share, SAMPLES), exact: false };
  }
  const share = exactShare(counts, first);
  return share === 0 ? null : { share, shareInterval: [share, share], exact: true };
}

/** Range of the networks' costs by each model of a budget. */
function describeEnds({ ranges }: Budget): string {
  return ranges
    .map((range) => {
      const [smallest, largest] = costEnds(range);
      return `from ${smallest} to ${largest} ${range.model.unit}`;
    })
    .join(', ');
}

/**
 * Finds the smallest and the largest network of a space and the share that a budget admits: exact
 * where the different totals are few enough to count, else estimated from a fixed sample.
 *
 * @throws TrialError BUDGET_UNREACHABLE when no network is inside the budget.
 */
export function feasibility(space: SearchSpace, budget: Budget): Feasibility {
  const share = admittedShare(space, budget);
  if (share === null) {
    throw new TrialError('BUDGET_UNREACHABLE', {
      where: describeBudget(budget),
      wanted: `room for a network of "${space.name}", ${describeEnds(budget)}`,
      found: 'none inside',
      next: 'Change the budget so that it holds networks of the space',
    });
  }
  const macs = macsModel(space);
  const byMacs = (pick: typeof Math.min): Extreme => {
    const path = extreme(macs.table, pick).path;
    return { path, macs: macs.cost(path) };
  };
  return { smallest: byMacs(Math.min), largest: byMacs(Math.max), ...share };
}
