import { TrialError } from '../foundation/errors.ts';
import { drawIndex, type Rng } from '../foundation/rng.ts';
import { budgetTable, type BudgetTable } from './budget-table.ts';
import { admits, describeBudget, limitingRanges, type Budget } from './budget.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/** Budget and prior of drawn paths. */
export interface SamplerOptions {
  readonly budget: Budget;
  /** Relative probability of each candidate name; uniform where null. */
  readonly prior: Readonly<Record<string, number>> | null;
}

/** Draws of one path before the budget is declared unreachable. */
const MAX_MISSES = 200_000;

/**
 * Draws each block's candidate independently, given that the network keeps to the budget: uniform
 * among the networks inside, or by the product of the prior's probabilities.
 *
 * The first draw of a sampling value builds its table, in at most some seconds; later ones reuse it.
 *
 * @throws TrialError BUDGET_UNREACHABLE when no network is inside, or where costs do not add up or
 *   have too many totals to count, when 200,000 draws near the budget miss it.
 */
export function samplePath(space: SearchSpace, sampling: SamplerOptions, rng: Rng): Path {
  const { budget } = sampling;
  if (coverOf(space, sampling)?.isEmpty === true) throw unreachable(budget, 'none inside');
  for (let miss = 0; miss < MAX_MISSES; miss++) {
    const path = draftPath(space, sampling, rng);
    if (admits(budget, path)) return path;
  }
  throw unreachable(budget, `none in ${MAX_MISSES} draws`);
}

/** Draws a path of the budget's cover, or of the whole space where there is none. */
export function draftPath(space: SearchSpace, sampling: SamplerOptions, rng: Rng): Path {
  const cover = coverOf(space, sampling);
  if (cover !== null) return cover.draw(rng);
  return space.choices.map((block) => sampleCandidate(block, sampling.prior, rng));
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
 * The cover of the networks inside a budget, counted once for each budget and prior; null where no
 * limit is on costs that add up.
 */
export function coverOf(space: SearchSpace, { budget, prior }: SamplerOptions): BudgetTable | null {
  const byPrior = covers.get(budget) ?? new Map<SamplerOptions['prior'], BudgetTable | null>();
  covers.set(budget, byPrior);
  const known = byPrior.get(prior);
  if (known !== undefined) return known;
  const ranges = limitingRanges(budget).flatMap(({ model: { table }, min, max }) =>
    table === null ? [] : [{ table, min, max }],
  );
  const weights = space.choices.map((block) => normalised(weightsOf(block, prior)));
  const cover = ranges.length === 0 ? null : budgetTable(ranges, weights);
  byPrior.set(prior, cover);
  return cover;
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
