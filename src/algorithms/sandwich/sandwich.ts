/**
 * The sandwich rule with distillation in place: every step trains the largest path, the smallest one,
 * and random ones between them, and makes one update. The largest learns from the labels, the others
 * from its softmax on the very images that they are trained on. There candidates share weights; here
 * each has its own.
 *
 * @see Yu et al., "BigNAS: Scaling Up Neural Architecture Search with Big Single-Stage Models"
 * (ECCV 2020); Yu and Huang, "Universally Slimmable Networks and Improved Training Techniques"
 * (ICCV 2019).
 */

import { TrialError } from '../../foundation/errors.ts';
import { createRng } from '../../foundation/rng.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import { crossEntropyTo } from '../../supernet/classification.ts';
import { predict } from '../../supernet/inference.ts';
import type { Batch } from '../../data/stream/batch.ts';
import type { Path } from '../../searchspace/space.ts';
import type { AlgorithmDefinition, Learner, LossOf } from '../algorithm.ts';
import { trainPaths } from '../several-paths.ts';
import {
  labelLoss,
  RANDOM_PATH_METRICS,
  statelessAlgorithm,
  type Stateless,
} from '../stateless.ts';
import { extremesOf } from './extremes.ts';

/** The largest, the smallest, and at least one between them. */
const LEAST_PATHS = 3;

/** Largest path first: it is the teacher of all others. */
export const sandwich: AlgorithmDefinition<Stateless> = {
  paper: 'Yu et al., "BigNAS" (ECCV 2020)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: ['pathsPerStep', 'pathBatch'],
  selection: 'mainEffects',
  create: (setting) => {
    const { space, sampling } = setting;
    const { seed, labelSmoothing, pathsPerStep, pathBatch } = setting.config;
    requireMiddle(pathsPerStep);
    const { largest, smallest } = extremesOf(setting, createRng({ seed, stream: 'extremes', step: 0 })); // prettier-ignore
    return statelessAlgorithm((state, work) => {
      const rng = createRng({ seed, stream: 'path', step: work.step });
      const between = Array.from({ length: pathsPerStep - 2 }, () =>
        samplePath(space, sampling, rng),
      );
      return trainPaths(state, work, {
        paths: [largest, smallest, ...between],
        pathBatch,
        lossOf: (learner, own, k) =>
          k === 0 ? labelLoss(learner, own, labelSmoothing) : taughtLoss(learner, own, largest),
      });
    });
  },
};

/**
 * Cross-entropy to the softmax of a teacher on the same images, which is a constant: predicted without
 * gradient, normalised by the batch, and not recorded in the running statistics.
 */
function taughtLoss({ supernet }: Learner, { images }: Batch, teacher: Path): LossOf {
  const targets = predict(supernet, images, teacher);
  return (logits) => ({ loss: crossEntropyTo(supernet.engine, logits, targets) });
}

function requireMiddle(pathsPerStep: number): void {
  if (pathsPerStep >= LEAST_PATHS) return;
  throw new TrialError('CONFIG_INVALID', {
    where: 'pathsPerStep',
    wanted: `at least ${LEAST_PATHS} for sandwich: the largest path, the smallest, and a random one`,
    found: String(pathsPerStep),
    next: 'Correct the trial config.',
  });
}
