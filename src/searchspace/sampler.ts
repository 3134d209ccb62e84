import { TrialError } from '../foundation/errors.ts';
import type { Rng } from '../foundation/rng.ts';
import type { Block, Path, SearchSpace } from './space.ts';

/** Inclusive range of multiply-accumulates that a path must lie in. */
export interface MacsRange {
  readonly minMacs: number;
  readonly maxMacs: number;
}

/** What decides which paths are drawn. */
export interface SamplerOptions extends MacsRange {
  readonly macsOf: (path: Path) => number;
  /** Relative probability of each candidate name; uniform where null. */
  readonly prior: Readonly<Record<string, number>> | null;
}

/** Draws of one path before the range is declared unreachable. */
const MAX_MISSES = 10_000;

/**
 * Draws each block's candidate independently, and draws the path again while its cost is outside
 * the range.
 *
 * @throws TrialError BUDGET_UNREACHABLE after 10,000 misses.
 */
export function samplePath(space: SearchSpace, options: SamplerOptions, rng: Rng): Path {
  const { macsOf, minMacs, maxMacs, prior } = options;
  for (let miss = 0; miss < MAX_MISSES; miss++) {
    const path = space.choices.map((block) => sampleCandidate(block, prior, rng));
    const macs = macsOf(path);
    if (macs >= minMacs && macs <= maxMacs) return path;
  }
  throw new TrialError('BUDGET_UNREACHABLE', {
    where: 'minMacs and maxMacs',
    wanted: `paths between ${minMacs} and ${maxMacs} multiply-accumulates`,
    found: `none in ${MAX_MISSES} draws`,
    next: 'Widen the range; the feasibility report names the smallest and the largest path.',
  });
}

function sampleCandidate(block: Block, prior: SamplerOptions['prior'], rng: Rng): number {
  if (prior === null) return rng.below(block.candidates.length);
  const weights = block.candidates.map(({ name }) =>
    // A candidate may be named like something that every object inherits, such as "constructor".
    Object.hasOwn(prior, name) ? (prior[name] ?? 0) : 0,
  );
  let rest = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  // Rounding can leave a rest of zero: the last candidate that can be drawn takes it.
  return index === -1 ? weights.findLastIndex((weight) => weight > 0) : index;
}
