/**
 * Single Path One-Shot: every step trains paths that are drawn uniformly and independently; one path,
 * as in the paper, where `pathsPerStep` is 1. Which path is the answer is left to a selection on the
 * trained supernet.
 *
 * @see Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling" (ECCV 2020).
 */

import { createRng } from '../../foundation/rng.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import type { AlgorithmDefinition } from '../algorithm.ts';
import { fromLabels, trainPaths } from '../several-paths.ts';
import { RANDOM_PATH_METRICS, statelessAlgorithm, type Stateless } from '../stateless.ts';

/** Uniform single paths. */
export const spos: AlgorithmDefinition<Stateless> = {
  paper: 'Guo et al., "Single Path One-Shot Neural Architecture Search" (ECCV 2020)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: ['pathsPerStep', 'pathBatch'],
  selection: 'mainEffects',
  create: ({ space, config, sampling }) =>
    statelessAlgorithm((state, work) => {
      const rng = createRng({ seed: config.seed, stream: 'path', step: work.step });
      const paths = Array.from({ length: config.pathsPerStep }, () =>
        samplePath(space, sampling, rng),
      );
      return trainPaths(state, work, fromLabels(paths, config));
    }),
};
