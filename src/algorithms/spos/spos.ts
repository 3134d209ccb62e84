/**
 * Single Path One-Shot: every step trains one path, drawn uniformly. Which path is the answer is left
 * to a selection on the trained supernet.
 *
 * @see Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling" (ECCV 2020).
 */

import { createRng } from '../../foundation/rng.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import type { AlgorithmDefinition } from '../algorithm.ts';
import {
  labelLoss,
  RANDOM_PATH_METRICS,
  statelessAlgorithm,
  type Stateless,
} from '../stateless.ts';

/** Uniform single path. */
export const spos: AlgorithmDefinition<Stateless> = {
  paper: 'Guo et al., "Single Path One-Shot Neural Architecture Search" (ECCV 2020)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: [],
  selection: 'evolution',
  create: ({ space, config: { seed, labelSmoothing }, sampling }) =>
    statelessAlgorithm((state, { step, batch, learner }) => {
      const path = samplePath(space, sampling, createRng({ seed, stream: 'path', step }));
      const trained = learner.gradientsOf(path, batch, labelLoss(learner, batch, labelSmoothing));
      const isFinite = learner.update([trained]);
      const next = isFinite ? state : null;
      return { next, loss: trained.loss, paths: [path], images: batch.count };
    }),
};
