/**
 * The answer by main effects: scores random paths and the algorithm's candidates, fits the additive
 * model to the scores, looks for the paths that the model thinks best, and scores those too. One
 * path's own score decides little: what is peculiar to it in the shared weights is no merit of the
 * network. See `searchspace/main-effects.ts`.
 */

import type { Score } from '../algorithms/algorithm.ts';
import { fitMainEffects, type MainEffects } from '../searchspace/main-effects.ts';
import { distinctNetworks } from '../searchspace/canonical.ts';
import type { Path } from '../searchspace/space.ts';
import { drawPaths } from './draws.ts';
import { evolve } from './evolution.ts';
import type { SelectionContext } from './strategy.ts';

/** The model's best paths, which are scored as well. */
const FINALISTS = 20;

/** Of the search for them, in which a score costs nothing. */
const SEARCH = { population: 200, generations: 20, parents: 50, mutations: 100, crossovers: 100 };

/** @returns Every path that was scored, in the order of the model. */
export async function selectByMainEffects(context: SelectionContext): Promise<readonly Score[]> {
  const { space, sampling, seed, settings, candidates, rank } = context;
  const drawn = drawPaths(space, { sampling, seed, stream: 'selection' }, settings.paths);
  const scored = await rank(distinctNetworks(space, [...candidates, ...drawn]));
  const finalists = await bestByModel(fit(scored, context), context);
  const all = distinctNetworks(space, [...scored.map(({ path }) => path), ...finalists]);
  const scores = await rank(all);
  const { predict } = fit(scores, context);
  return scores
    .map((score) => ({ score, expected: predict(score.path) }))
    .sort((a, b) => a.expected - b.expected || context.compare(a.score, b.score))
    .map(({ score }) => score);
}

/** The model of what paths are ordered by: less is better. */
function fit(scores: readonly Score[], { space, lossOf }: SelectionContext): MainEffects {
  const observations = scores.map((score) => ({ path: score.path, value: lossOf(score) }));
  return fitMainEffects(space, observations);
}

/** Looks through the budget for the paths that a model thinks best. */
async function bestByModel({ predict }: MainEffects, context: SelectionContext): Promise<Path[]> {
  const expect = (path: Path): Score => ({ path, accuracy: 0, crossEntropy: predict(path) });
  const compare = (a: Score, b: Score): number => a.crossEntropy - b.crossEntropy;
  const found = await evolve({
    ...context,
    settings: { ...context.settings, ...SEARCH },
    compare,
    rank: (paths) => Promise.resolve(paths.map(expect).sort(compare)),
  });
  return found.slice(0, FINALISTS).map(({ path }) => path);
}
