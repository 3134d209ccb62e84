import { admits } from '../../searchspace/budget.ts';
import { samplePath, weightsOf, type SamplerOptions } from '../../searchspace/sampler.ts';
import type { Path } from '../../searchspace/space.ts';
import type { Rng } from '../../foundation/rng.ts';
import type { Setting } from '../algorithm.ts';

/** Ends of what a step may train, by multiply-accumulates. */
export interface Extremes {
  readonly largest: Path;
  readonly smallest: Path;
}

/** Climbs, each from a path of its own; one of them may end at a low top. */
const CLIMBS = 10;

/**
 * The largest and the smallest path that the sampler can draw. Without a budget they are exact, as costs
 * add up over blocks. Within one they are the best ends of ten climbs from drawn paths: no change of a
 * single block leads further and stays inside.
 *
 * @throws TrialError BUDGET_UNREACHABLE as `samplePath` does.
 */
export function extremesOf(
  { space, sampling, macsOf }: Pick<Setting, 'space' | 'sampling' | 'macsOf'>,
  rng: Rng,
): Extremes {
  const starts = Array.from({ length: CLIMBS }, () => samplePath(space, sampling, rng));
  const top = (height: (path: Path) => number): Path =>
    starts
      .map((start) => climb(start, (path) => neighboursOf(path, space, sampling), height))
      .reduce((a, b) => (height(b) > height(a) ? b : a));
  return { largest: top(macsOf), smallest: top((path) => -macsOf(path)) };
}

/** Goes to the highest neighbour as long as that is higher. */
function climb(
  start: Path,
  neighbours: (path: Path) => readonly Path[],
  height: (path: Path) => number,
): Path {
  let top = { path: start, height: height(start) };
  for (;;) {
    const best = neighbours(top.path)
      .map((path) => ({ path, height: height(path) }))
      .reduce((a, b) => (b.height > a.height ? b : a), top);
    if (best === top) return top.path;
    top = best;
  }
}

/** Paths that differ in one block and that the sampler can draw. */
function neighboursOf(
  path: Path,
  { choices }: Setting['space'],
  { budget, prior }: SamplerOptions,
): Path[] {
  return choices
    .flatMap((block, at) =>
      weightsOf(block, prior).flatMap((weight, candidate) =>
        weight > 0 && candidate !== path[at] ? [path.with(at, candidate)] : [],
      ),
    )
    .filter((each) => admits(budget, each));
}
