/**
 * The additive model of a space: a mean, and an effect of each candidate of each block.
 *
 * What a supernet says of one path is that path's worth and much that is peculiar to the shared
 * weights: fitted effects average the peculiar out, because every effect is seen in many paths.
 * Measured in docs/training.md. In statistics: main effects of a factorial design, with a little
 * shrinkage (ridge), by backfitting.
 *
 * @see Hastie and Tibshirani, "Generalized Additive Models" (1986), for backfitting.
 */

import { mean } from '../foundation/statistics.ts';
import { canonicalPath } from './canonical.ts';
import type { Path, SearchSpace } from './space.ts';

/** A path and a number that was measured of it. */
export interface Observation {
  readonly path: Path;
  readonly value: number;
}

/** A fitted model. */
export interface MainEffects {
  /** What the model expects of any path. */
  readonly predict: (path: Path) => number;
  /** Share of the observations' variance that it explains; 1 where there is none. */
  readonly explained: number;
}

/** Observations' worth of doubt in every effect: a candidate that was never seen has none. */
const SHRINKAGE = 1;

/** Sweeps over the blocks: more than spaces of some dozens of blocks need. */
const SWEEPS = 200;

/**
 * Fits the model to measured paths. Twins count as their network's one canonical path.
 *
 * @param observations - At least one.
 */
export function fitMainEffects(
  space: SearchSpace,
  observations: readonly Observation[],
): MainEffects {
  const paths = observations.map(({ path }) => canonicalPath(space, path));
  const centre = mean(observations.map(({ value }) => value));
  const effects = space.choices.map(({ candidates }) => candidates.map(() => 0));
  const effectOf = (path: Path): number =>
    path.reduce((sum, candidate, block) => sum + (effects[block]?.[candidate] ?? 0), 0);
  const rests = observations.map(({ value }) => value - centre);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    effects.forEach((own, block) => {
      updateBlock(own, rests, paths.map((path) => path[block] ?? 0)); // prettier-ignore
    });
  }
  const spread = observations.reduce((sum, { value }) => sum + (value - centre) ** 2, 0);
  const unexplained = rests.reduce((sum, rest) => sum + rest * rest, 0);
  return {
    predict: (path) => centre + effectOf(canonicalPath(space, path)),
    explained: spread === 0 ? 1 : 1 - unexplained / spread,
  };
}

/** Fits one block's effects to what the others leave, and updates that rest. */
function updateBlock(effects: number[], rests: number[], taken: readonly number[]): void {
  const sums = effects.map(() => 0);
  const counts = effects.map(() => SHRINKAGE);
  taken.forEach((candidate, i) => {
    sums[candidate] = (sums[candidate] ?? 0) + (rests[i] ?? 0) + (effects[candidate] ?? 0);
    counts[candidate] = (counts[candidate] ?? 0) + 1;
  });
  const changes = effects.map((old, candidate) => {
    const next = (sums[candidate] ?? 0) / (counts[candidate] ?? 1);
    effects[candidate] = next;
    return next - old;
  });
  taken.forEach((candidate, i) => {
    rests[i] = (rests[i] ?? 0) - (changes[candidate] ?? 0);
  });
}
