/** The answer out of a trained supernet. No selection trains, and none knows how it was trained. */

import type { Score } from '../algorithms/algorithm.ts';
import { pathKey } from '../searchspace/path.ts';
import type { Path } from '../searchspace/space.ts';
import { drawPaths } from './draws.ts';
import { evolve } from './evolution.ts';
import type { Selection, SelectionContext, Strategy } from './strategy.ts';

const STRATEGIES: Readonly<Record<Strategy, Selection>> = {
  board: ({ candidates, rank }) => rank(distinct(candidates)),
  random: ({ space, sampling, seed, settings, rank }) =>
    rank(distinct(drawPaths(space, { sampling, seed, stream: 'selection' }, settings.paths))),
  evolution: evolve,
};

/** Applies a strategy. */
export function select(strategy: Strategy, context: SelectionContext): Promise<readonly Score[]> {
  return STRATEGIES[strategy](context);
}

/** Each path once. */
function distinct(paths: readonly Path[]): Path[] {
  return [...new Map(paths.map((path) => [pathKey(path), path])).values()];
}
