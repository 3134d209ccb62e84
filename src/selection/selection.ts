/** The answer out of a trained supernet. No selection trains, and none knows how it was trained. */

import type { Score } from '../algorithms/algorithm.ts';
import { networkKey } from '../searchspace/canonical.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { drawPaths } from './draws.ts';
import { evolve } from './evolution.ts';
import type { Selection, SelectionContext, Strategy } from './strategy.ts';

const STRATEGIES: Readonly<Record<Strategy, Selection>> = {
  board: ({ space, candidates, rank }) => rank(distinct(space, candidates)),
  random: ({ space, sampling, seed, settings, rank }) =>
    rank(
      distinct(space, drawPaths(space, { sampling, seed, stream: 'selection' }, settings.paths)),
    ),
  evolution: evolve,
};

/** Applies a strategy. */
export function select(strategy: Strategy, context: SelectionContext): Promise<readonly Score[]> {
  return STRATEGIES[strategy](context);
}

/** Each network once, by the first of its paths. */
function distinct(space: SearchSpace, paths: readonly Path[]): Path[] {
  const byNetwork = new Map<string, Path>();
  for (const path of paths) {
    const key = networkKey(space, path);
    if (!byNetwork.has(key)) byNetwork.set(key, path);
  }
  return [...byNetwork.values()];
}
