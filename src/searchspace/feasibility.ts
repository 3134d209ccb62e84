import { TrialError } from '../foundation/errors.ts';
import { createRng } from '../foundation/rng.ts';
import { macsOf, operationCost } from './cost.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/** Multiply-accumulates that a network may take, both ends included. */
export interface Budget {
  readonly minMacs: number;
  /** `Infinity` for no upper end. */
  readonly maxMacs: number;
}

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

/** Multiply-accumulates of each candidate of each labelled block, and of the fixed blocks. */
interface MacsTable {
  readonly fixed: number;
  readonly choices: readonly (readonly number[])[];
}

/** Above this many different totals a sample takes the place of counting. */
const MAX_SUMS = 100_000;
/** Additions that counting may take: some seconds. */
const MAX_ADDITIONS = 10_000_000;
const SAMPLES = 20_000;
const NORMAL_97_5 = 1.959964;

function candidateMacs(block: Block): readonly number[] {
  return block.candidates.map(({ operation }) => macsOf(operationCost(operation, block.input)));
}

function macsTable(space: SearchSpace): MacsTable {
  const fixed = space.blocks.filter((block) => block.label === null).flatMap(candidateMacs);
  return {
    fixed: fixed.reduce((total, macs) => total + macs, 0),
    choices: space.choices.map(candidateMacs),
  };
}

/** Multiply-accumulates add up over blocks, so the extreme network is extreme in every block. */
function extreme(
  { fixed, choices }: MacsTable,
  pick: (...macs: readonly number[]) => number,
): Extreme {
  const path = choices.map((macs) => macs.indexOf(pick(...macs)));
  const macs = choices.reduce((total, each) => total + pick(...each), fixed);
  return { path, macs };
}

/** Number of networks at each total, or null when counting them takes too much. */
function countByMacs({ fixed, choices }: MacsTable): ReadonlyMap<number, bigint> | null {
  let counts = new Map([[fixed, 1n]]);
  let additions = 0;
  for (const macs of choices) {
    const next = new Map<number, bigint>();
    for (const [total, count] of counts) {
      for (const more of macs) next.set(total + more, (next.get(total + more) ?? 0n) + count);
      additions += macs.length;
      if (next.size > MAX_SUMS || additions > MAX_ADDITIONS) return null;
    }
    counts = next;
  }
  return counts;
}

function exactShare(counts: ReadonlyMap<number, bigint>, { minMacs, maxMacs }: Budget): number {
  let inside = 0n;
  let all = 0n;
  for (const [macs, count] of counts) {
    all += count;
    if (macs >= minMacs && macs <= maxMacs) inside += count;
  }
  // A number holds at most 1024 bits; what is cut off of both is less than it can tell apart.
  const excess = BigInt(Math.max(0, all.toString(2).length - 1000));
  return Number(inside >> excess) / Number(all >> excess);
}

function sampledShare({ fixed, choices }: MacsTable, { minMacs, maxMacs }: Budget): number {
  const rng = createRng({ seed: 0, stream: 'feasibility', step: 0 });
  let inside = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const macs = choices.reduce(
      (total, each) => total + (each[rng.below(each.length)] ?? 0),
      fixed,
    );
    if (macs >= minMacs && macs <= maxMacs) inside++;
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

/** Share of the networks inside the budget, or null where there is provably none. */
function admittedShare(
  table: MacsTable,
  budget: Budget,
  { smallest, largest }: Pick<Feasibility, 'smallest' | 'largest'>,
): Pick<Feasibility, 'share' | 'shareInterval' | 'exact'> | null {
  const { minMacs, maxMacs } = budget;
  if (maxMacs < smallest.macs || minMacs > largest.macs || minMacs > maxMacs) return null;
  if (minMacs <= smallest.macs && maxMacs >= largest.macs) {
    return { share: 1, shareInterval: [1, 1], exact: true };
  }
  const counts = countByMacs(table);
  if (counts === null) {
    const share = sampledShare(table, budget);
    return { share, shareInterval: wilsonInterval(share, SAMPLES), exact: false };
  }
  const share = exactShare(counts, budget);
  return share === 0 ? null : { share, shareInterval: [share, share], exact: true };
}

/**
 * Finds the smallest and the largest network of a space and the share that a budget admits: exact
 * where the different totals are few enough to count, else estimated from a fixed sample.
 *
 * @throws TrialError BUDGET_UNREACHABLE when no network is inside the budget.
 */
export function feasibility(space: SearchSpace, budget: Budget): Feasibility {
  const table = macsTable(space);
  const smallest = extreme(table, Math.min);
  const largest = extreme(table, Math.max);
  const { minMacs, maxMacs } = budget;
  const share = admittedShare(table, budget, { smallest, largest });
  if (share === null) {
    throw new TrialError('BUDGET_UNREACHABLE', {
      where: `minMacs ${minMacs}, maxMacs ${maxMacs}`,
      wanted: `room for a network of "${space.name}", from ${smallest.macs} to ${largest.macs}`,
      found: 'none inside',
      next: 'Change minMacs and maxMacs so that they hold networks of the space',
    });
  }
  return { smallest, largest, ...share };
}
