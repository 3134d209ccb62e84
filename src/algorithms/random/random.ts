/**
 * Random search with weight sharing: trains as single-path one-shot does, and the answer is the best
 * of random paths by their scores with the shared weights. The floor for every other search.
 *
 * @see Li and Talwalkar, "Random Search and Reproducibility for Neural Architecture Search" (UAI 2019).
 */

import type { AlgorithmDefinition } from '../algorithm.ts';
import { RANDOM_PATH_METRICS, type Stateless } from '../stateless.ts';
import { uniformPaths } from '../uniform-paths.ts';

/** Uniform paths, and the best of random ones for the answer. */
export const random: AlgorithmDefinition<Stateless> = {
  paper: 'Li and Talwalkar, "Random Search and Reproducibility" (UAI 2019)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: ['pathsPerStep'],
  selection: 'random',
  create: uniformPaths,
};
