/**
 * Single Path One-Shot: every step trains uniformly drawn paths. Which path is the answer is left to
 * a selection on the trained supernet. The paper trains one path a step, `pathsPerStep: 1`.
 *
 * @see Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling" (ECCV 2020).
 */

import type { AlgorithmDefinition } from '../algorithm.ts';
import { RANDOM_PATH_METRICS, type Stateless } from '../stateless.ts';
import { uniformPaths } from '../uniform-paths.ts';

/** Uniform paths. */
export const spos: AlgorithmDefinition<Stateless> = {
  paper: 'Guo et al., "Single Path One-Shot Neural Architecture Search" (ECCV 2020)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: ['pathsPerStep'],
  selection: 'mainEffects',
  create: uniformPaths,
};
