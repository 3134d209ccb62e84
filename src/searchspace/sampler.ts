import { TrialError } from '../foundation/errors.ts';
import type { Rng } from '../foundation/rng.ts';
import { admits, describeBudget, type Budget } from './budget.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/** Budget and prior of drawn paths. */
export interface SamplerOptions {
  readonly budget: Budget;
  /** Relative probability of each candidate name; uniform where null. */
  readonly prior: Readonly<Record<string, number>> | null;
}

/** Draws of one path before the budget is declared unreachable. */
const MAX_MISSES = 10_000;

/**
 * Draws each block's candidate independently, and draws the path again while its cost is outside
 * the budget.
 *
 * @throws TrialError BUDGET_UNREACHABLE after 10,000 misses.
 */
export function samplePath(space: SearchSpace, { budget, prior }: SamplerOptions, rng: Rng): Path {
  for (let miss = 0; miss < MAX_MISSES; miss++) {
    const path = space.choices.map((block) => sampleCandidate(block, prior, rng));
    if (admits(budget, path)) return path;
  }
  throw new TrialError('BUDGET_UNREACHABLE', {
    where: describeBudget(budget),
    wanted: 'paths inside the budget',
    found: `none in ${MAX_MISSES} draws`,
    next: 'Widen the budget; the feasibility report names the smallest and the largest path.',
  });
}

/** Draws one block's candidate, by its prior. */
export function sampleCandidate(block: Block, prior: SamplerOptions['prior'], rng: Rng): number {
  if (prior === null) return rng.below(block.candidates.length);
  const weights = weightsIn(block, prior);
  let rest = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  // Rounding can leave a rest of zero: the last candidate that can be drawn takes it.
  return index === -1 ? weights.findLastIndex((weight) => weight > 0) : index;
}

/** Relative probability of each candidate of a block; 0 for one that is never drawn. */
export function weightsIn({ candidates }: Block, prior: SamplerOptions['prior']): number[] {
  return candidates.map(({ name }) => {
    if (prior === null) return 1;
    // A candidate may be named like something that every object inherits, such as "constructor".
    return Object.hasOwn(prior, name) ? (prior[name] ?? 0) : 0;
  });
}
