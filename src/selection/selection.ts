/** The answer out of a trained supernet. No selection trains, and none knows how it was trained. */

import type { Score } from '../algorithms/algorithm.ts';
import { distinctNetworks } from '../searchspace/canonical.ts';
import { drawPaths } from './draws.ts';
import { evolve } from './evolution.ts';
import { selectByMainEffects } from './main-effects.ts';
import type { Selection, SelectionContext, Strategy } from './strategy.ts';

const STRATEGIES: Readonly<Record<Strategy, Selection>> = {
  board: ({ space, candidates, rank }) => rank(distinctNetworks(space, candidates)),
  random: ({ space, sampling, seed, settings, rank }) =>
    rank(
      distinctNetworks(
        space,
        drawPaths(space, { sampling, seed, stream: 'selection' }, settings.paths),
      ),
    ),
  evolution: evolve,
  mainEffects: selectByMainEffects,
};

/** Applies a strategy. */
export function select(strategy: Strategy, context: SelectionContext): Promise<readonly Score[]> {
  return STRATEGIES[strategy](context);
}
