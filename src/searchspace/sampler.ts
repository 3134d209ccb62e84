import { TrialError } from '../foundation/errors.ts';
import { createRng, drawIndex, type Rng } from '../foundation/rng.ts';
import { countedTable, coveringTable, type BudgetTable } from './budget-table.ts';
import { admits, describeBudget, limitingRanges, type Budget } from './budget.ts';
import type { CostTable } from './cost-model.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/** Budget and prior of drawn paths. */
export interface SamplerOptions {
  readonly budget: Budget;
  /** Relative probability of each candidate name; uniform where null. */
  readonly prior: Readonly<Record<string, number>> | null;
}

/** Draws of one path before the budget is declared unreachable, and fewer in long networks. */
const MAX_MISSES = 200_000;
const MAX_MISSED_BLOCKS = 4_000_000;
/** Draws that tell whether draws from the whole space hit the budget often enough. */
const TRIALS = 1_000;
const OFTEN = 0.05;

/**
 * Draws each block's candidate independently, given that the network keeps to the budget: uniform
 * among the networks inside, or by the product of the prior's probabilities.
 *
 * The first draw of a sampling value builds its table, in at most some seconds; later ones reuse it.
 *
 * @throws TrialError BUDGET_UNREACHABLE when no network is inside, or where costs do not add up or
 *   have too many totals to count, when {@link mostMisses} draws near the budget miss it.
 */
export function samplePath(space: SearchSpace, sampling: SamplerOptions, rng: Rng): Path {
  const { budget } = sampling;
  if (coverOf(space, sampling)?.isEmpty === true) throw unreachable(budget, 'none inside');
  const most = mostMisses(space);
  for (let miss = 0; miss < most; miss++) {
    const path = draftPath(space, sampling, rng);
    if (admits(budget, path)) return path;
  }
  throw unreachable(budget, `none in ${most} draws`);
}

/** Draws of one path before the budget is declared unreachable. */
export function mostMisses({ choices }: SearchSpace): number {
  return Math.min(MAX_MISSES, Math.ceil(MAX_MISSED_BLOCKS / choices.length));
}

/** Draws a path of the budget's cover, or of the whole space where there is none. */
export function draftPath(space: SearchSpace, sampling: SamplerOptions, rng: Rng): Path {
  const cover = coverOf(space, sampling);
  return cover?.draw(rng) ?? sampleBlocks(space, sampling.prior, rng);
}

function sampleBlocks({ choices }: SearchSpace, prior: SamplerOptions['prior'], rng: Rng): Path {
  return choices.map((block) => sampleCandidate(block, prior, rng));
}

function unreachable(budget: Budget, found: string): TrialError {
  return new TrialError('BUDGET_UNREACHABLE', {
    where: describeBudget(budget),
    wanted: 'paths inside the budget',
    found,
    next: 'Widen the budget; the feasibility report names the smallest and the largest path.',
  });
}

/** Covers of each budget by prior: a budget's costs are those of one space. */
const covers = new WeakMap<Budget, Map<SamplerOptions['prior'], BudgetTable | null>>();

/**
 * The cover of the networks inside a budget, found once for each budget and prior; null where draws
 * from the whole space serve: no limit is on costs that add up, or the networks inside are too many
 * to count and often hit.
 */
export function coverOf(space: SearchSpace, { budget, prior }: SamplerOptions): BudgetTable | null {
  const byPrior = covers.get(budget) ?? new Map<SamplerOptions['prior'], BudgetTable | null>();
  covers.set(budget, byPrior);
  const known = byPrior.get(prior);
  if (known !== undefined) return known;
  const cover = findCover(space, { budget, prior });
  byPrior.set(prior, cover);
  return cover;
}

function findCover(space: SearchSpace, { budget, prior }: SamplerOptions): BudgetTable | null {
  const limits = limitingRanges(budget).filter(({ model }) => model.table !== null);
  if (limits.length === 0) return null;
  const ranges = limits.map(({ model, min, max }) => ({
    table: model.table as CostTable,
    min,
    max,
  }));
  const weights = space.choices.map((block) => normalised(weightsOf(block, prior)));
  const counted = countedTable(ranges, weights);
  if (counted !== null || isOftenHit(space, { budget: { ranges: limits }, prior })) return counted;
  return coveringTable(ranges, weights);
}

/** Whether draws from the whole space serve. */
function isOftenHit(space: SearchSpace, { budget, prior }: SamplerOptions): boolean {
  const rng = createRng({ seed: 0, stream: 'often-hit', step: 0 });
  let hits = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    if (admits(budget, sampleBlocks(space, prior, rng))) hits++;
  }
  return hits >= OFTEN * TRIALS;
}

/** Relative probability of each candidate of a block. */
export function weightsOf(
  { candidates }: Block,
  prior: SamplerOptions['prior'],
): readonly number[] {
  // A candidate may be named like something that every object inherits, such as "constructor".
  const weightOf = (name: string): number =>
    prior !== null && Object.hasOwn(prior, name) ? (prior[name] ?? 0) : 0;
  return candidates.map(({ name }) => (prior === null ? 1 : weightOf(name)));
}

/** Weights of which the largest is 1. */
function normalised(weights: readonly number[]): readonly number[] {
  const largest = Math.max(...weights);
  return weights.map((weight) => weight / largest);
}

/** Draws one block's candidate, by its prior. */
export function sampleCandidate(block: Block, prior: SamplerOptions['prior'], rng: Rng): number {
  if (prior === null) return rng.below(block.candidates.length);
  return drawIndex(weightsOf(block, prior), rng);
}
