/**
 * Strict fairness: every step trains as many paths as a block has candidates, so that each candidate
 * is taken exactly once, adds up their gradients, and makes one update.
 *
 * @see Chu et al., "FairNAS: Rethinking Evaluation Fairness of Weight Sharing Neural Architecture
 * Search" (ICCV 2021).
 */

import { createRng, type Rng } from '../../foundation/rng.ts';
import type { Path, SearchSpace } from '../../searchspace/space.ts';
import type { AlgorithmDefinition } from '../algorithm.ts';
import { fromLabels, trainPaths } from '../several-paths.ts';
import { RANDOM_PATH_METRICS, statelessAlgorithm, type Stateless } from '../stateless.ts';

/** One path for each candidate. */
export const fairnas: AlgorithmDefinition<Stateless> = {
  paper: 'Chu et al., "FairNAS" (ICCV 2021)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: ['pathBatch'],
  selection: 'mainEffects',
  create: ({ space, config }) =>
    statelessAlgorithm((state, work) => {
      const rng = createRng({ seed: config.seed, stream: 'path', step: work.step });
      return trainPaths(state, work, fromLabels(fairPaths(space, rng), config));
    }),
};

/**
 * Paths that together take every candidate of every block: each block's candidates in an order of
 * its own. A block with fewer candidates than another begins its order anew.
 */
export function fairPaths({ choices }: SearchSpace, rng: Rng): Path[] {
  const orders = choices.map(({ candidates }) => rng.permutation(candidates.length));
  const count = Math.max(...orders.map((order) => order.length));
  return Array.from({ length: count }, (_, k) =>
    orders.map((order) => order[k % order.length] ?? 0),
  );
}
