/**
 * Evolution over inherited weights: the best paths so far are parents of mutated and crossed ones.
 *
 * @see Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling" (ECCV
 * 2020), section 3.4; the sizes are theirs, scaled down in the config's defaults.
 */

import type { Score } from '../algorithms/algorithm.ts';
import { createRng, type Rng } from '../foundation/rng.ts';
import { admits } from '../searchspace/budget.ts';
import { networkKey } from '../searchspace/canonical.ts';
import { sampleCandidate, samplePath } from '../searchspace/sampler.ts';
import type { Path } from '../searchspace/space.ts';
import type { SelectionContext } from './strategy.ts';

/**
 * Tries for one path. In a narrow budget most children miss: of 0.1 % of a Cream space, 2,000 tries
 * find nearly all that are wanted, and 100 a fifth. In a small space there may be no new path left.
 */
const MAX_TRIES = 2000;

/**
 * Scores a random generation, then generations of mutated and crossed paths. Every path keeps to the
 * budget, and each network is scored once; the best ones of all generations are the parents of the next.
 *
 * @returns Every path that was scored, best first.
 */
export async function evolve(context: SelectionContext): Promise<readonly Score[]> {
  const { space, sampling, settings, seed, rank, compare } = context;
  const { population, generations, mutations, crossovers } = settings;
  const known = new Set<string>();
  const grow = (generation: number, kinds: readonly Breeder[]): Path[] =>
    kinds.flatMap((breed, index) => {
      const rng = createRng({ seed, stream: 'evolution', step: generation, index });
      return newPath(() => breed(rng), context, known);
    });
  const random: Breeder = (rng) => samplePath(space, sampling, rng);
  let scores = await rank(grow(0, repeat(random, population)));
  for (let generation = 1; generation <= generations; generation++) {
    const parents = scores.slice(0, settings.parents).map(({ path }) => path);
    const children = grow(generation, [
      ...repeat((rng) => mutate(pick(parents, rng), context, rng), mutations),
      ...repeat((rng) => cross(pick(parents, rng), pick(parents, rng), rng), crossovers),
    ]);
    scores = [...scores, ...(await rank(children))].sort(compare);
  }
  return scores;
}

type Breeder = (rng: Rng) => Path;

/** A path of the budget whose network was not scored yet; none where no try gives one. */
function newPath(
  breed: () => Path,
  { space, sampling }: SelectionContext,
  known: Set<string>,
): Path[] {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const path = breed();
    if (!admits(sampling.budget, path)) continue;
    const key = networkKey(space, path);
    if (known.has(key)) continue;
    known.add(key);
    return [path];
  }
  return [];
}

/** Draws some blocks anew. */
function mutate(path: Path, { space, sampling, settings }: SelectionContext, rng: Rng): Path {
  return path.map((candidate, i) => {
    const block = space.choices[i];
    const isDrawn = rng.uniform() < settings.mutationProbability;
    return isDrawn && block ? sampleCandidate(block, sampling.prior, rng) : candidate;
  });
}

/** Takes each block from one of two parents. */
function cross(a: Path, b: Path, rng: Rng): Path {
  return a.map((candidate, i) => (rng.uniform() < 0.5 ? candidate : (b[i] ?? candidate)));
}

function pick(paths: readonly Path[], rng: Rng): Path {
  return paths[rng.below(paths.length)] as Path;
}

function repeat(breed: Breeder, count: number): Breeder[] {
  return Array.from({ length: count }, () => breed);
}
