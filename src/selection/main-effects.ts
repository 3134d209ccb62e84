/**
 * The answer by main effects: scores random paths and the algorithm's candidates, fits the additive
 * model to the scores, looks for the paths that the model thinks best, and scores those too. One
 * path's own score decides little: what is peculiar to it in the shared weights is no merit of the
 * network. See `searchspace/main-effects.ts`.
 */

import type { Score } from '../algorithms/algorithm.ts';
import { fitMainEffects, type MainEffects } from '../searchspace/main-effects.ts';
import { distinctNetworks, networkKey } from '../searchspace/canonical.ts';
import { admits } from '../searchspace/budget.ts';
import { pathKey } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { drawPaths } from './draws.ts';
import type { SelectionContext } from './strategy.ts';

/** The model's best paths, which are scored as well. */
const FINALISTS = 20;

/** Rounds of the climb to them: more than blocks take. */
const MAX_ROUNDS = 50;

/** @returns Every path that was scored, in the order of the model. */
export async function selectByMainEffects(context: SelectionContext): Promise<readonly Score[]> {
  const { space, sampling, seed, settings, candidates, rank } = context;
  const drawn = drawPaths(space, { sampling, seed, stream: 'selection' }, settings.paths);
  const scored = await rank(distinctNetworks(space, [...candidates, ...drawn]));
  const finalists = bestByModel(fit(scored, context), scored, context);
  const known = new Set(scored.map(({ path }) => networkKey(space, path)));
  const unknown = finalists.filter((path) => !known.has(networkKey(space, path)));
  const scores = [...scored, ...(await rank(unknown))];
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

/**
 * The paths of the budget that a model thinks best: from the scored ones on uphill, by changes of one
 * block or of two at once, so that a dear block can be given for a better one.
 */
function bestByModel(
  { predict }: MainEffects,
  scored: readonly Score[],
  { space, sampling: { budget } }: SelectionContext,
): Path[] {
  const expected = new Map<string, { path: Path; value: number }>();
  const best = (): Path[] =>
    [...expected.values()]
      .sort((a, b) => a.value - b.value)
      .slice(0, FINALISTS)
      .map(({ path }) => path);
  const visit = (path: Path): void => {
    const key = networkKey(space, path);
    if (!expected.has(key)) expected.set(key, { path, value: predict(path) });
  };
  for (const { path } of scored) visit(path);
  const climbed = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const starts = best().filter((path) => !climbed.has(pathKey(path)));
    if (starts.length === 0) break;
    for (const start of starts) climbed.add(pathKey(start));
    const near = starts.flatMap((start) => neighbours(space, start));
    for (const path of near.filter((each) => admits(budget, each))) visit(path);
  }
  return best();
}

/** All paths that differ from one in one block or in two. */
function neighbours(space: SearchSpace, path: Path): Path[] {
  const near = space.choices.flatMap(({ candidates }, block) =>
    candidates.map((_, candidate) => path.with(block, candidate)),
  );
  return near.flatMap((one, i) => [
    one,
    ...near.slice(i + 1).map((other) => one.map((candidate, block) => candidate === path[block] ? (other[block] ?? candidate) : candidate)), // prettier-ignore
  ]);
}
