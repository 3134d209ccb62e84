/** The answer out of a trained supernet. No selection trains, and none knows how it was trained. */

import type { Score } from '../algorithms/algorithm.ts';
import { createRng } from '../foundation/rng.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import { pathKey } from '../searchspace/path.ts';
import { samplePath, type SamplerOptions } from '../searchspace/sampler.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { evolve } from './evolution.ts';

/** The strategies by name. */
export type Strategy = NonNullable<TrialConfigFile['selection']['strategy']>;

/** What a selection picks from. */
export interface SelectionContext {
  readonly space: SearchSpace;
  readonly sampling: SamplerOptions;
  readonly seed: number;
  readonly settings: Readonly<TrialConfigFile['selection']>;
  /** Paths that the algorithm thinks well of; random ones where it thinks of none. */
  readonly candidates: readonly Path[];
  /** Scores paths and sorts them, best first. */
  readonly rank: (paths: readonly Path[]) => Promise<Score[]>;
}

/** Picks: every path that was scored, best first. The first one is the answer. */
type Selection = (context: SelectionContext) => Promise<readonly Score[]>;

const STRATEGIES: Readonly<Record<Strategy, Selection>> = {
  board: ({ candidates, rank }) => rank(candidates),
  random: ({ space, sampling, seed, settings, rank }) =>
    rank(randomPaths(space, { sampling, seed, stream: 'selection' }, settings.paths)),
  evolution: evolve,
};

/** Applies a strategy. */
export function select(strategy: Strategy, context: SelectionContext): Promise<readonly Score[]> {
  return STRATEGIES[strategy](context);
}

/** Which random paths are drawn. */
export interface Draw {
  readonly sampling: SamplerOptions;
  readonly seed: number;
  readonly stream: string;
  readonly step?: number;
}

/** Random paths of the budget; some may be the same. */
export function drawPaths(space: SearchSpace, draw: Draw, count: number): Path[] {
  const { sampling, seed, stream, step = 0 } = draw;
  return Array.from({ length: count }, (_, index) =>
    samplePath(space, sampling, createRng({ seed, stream, step, index })),
  );
}

/** Random paths, each once. */
function randomPaths(space: SearchSpace, draw: Draw, count: number): Path[] {
  const paths = drawPaths(space, draw, count);
  return [...new Map(paths.map((path) => [pathKey(path), path])).values()];
}
