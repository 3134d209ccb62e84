/**
 * The sandwich rule with in-place distillation: every step trains the largest path from the labels,
 * and the smallest and random ones from the largest path's softmax. Unlike in the papers no weights
 * are shared between candidates of a block.
 *
 * @see Yu and Huang, "Universally Slimmable Networks and Improved Training Techniques" (ICCV 2019).
 * @see Yu et al., "BigNAS: Scaling Up Neural Architecture Search with Big Single-Stage Models" (ECCV 2020).
 */

import type { Batch } from '../../data/stream/batch.ts';
import { createRng } from '../../foundation/rng.ts';
import { admits } from '../../searchspace/budget.ts';
import { macsModel } from '../../searchspace/cost-model.ts';
import { feasibility } from '../../searchspace/feasibility.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import type { Path } from '../../searchspace/space.ts';
import { crossEntropyTo } from '../../supernet/classification.ts';
import { predict } from '../../supernet/inference.ts';
import type { AlgorithmDefinition, Learner, LossOf, Setting } from '../algorithm.ts';
import { pathsPerStep, shareOut } from '../shares.ts';
import {
  labelLoss,
  RANDOM_PATH_METRICS,
  statelessAlgorithm,
  type Stateless,
} from '../stateless.ts';

/** Largest, smallest and random paths. */
export const sandwich: AlgorithmDefinition<Stateless> = {
  paper: 'Yu et al., "BigNAS" (ECCV 2020)',
  metrics: RANDOM_PATH_METRICS,
  configKeys: ['pathsPerStep'],
  selection: 'mainEffects',
  create: (setting) => {
    const { space, config, sampling } = setting;
    const { seed, labelSmoothing } = config;
    const [largest, smallest] = extremes(setting);
    const fillings = Math.max(0, pathsPerStep(config) - 2);
    return statelessAlgorithm((state, { step, batch, learner }) => {
      const rng = createRng({ seed, stream: 'path', step });
      const filling = Array.from({ length: fillings }, () => samplePath(space, sampling, rng));
      const trained = shareOut([largest, smallest, ...filling], batch).map(({ path, share }, k) => {
        const isTeacher = k === 0;
        return learner.gradientsOf(
          path,
          share,
          isTeacher
            ? labelLoss(learner, share, labelSmoothing)
            : distillationLoss(learner, share, largest),
        );
      });
      const isFinite = learner.update(trained);
      const loss = trained.reduce((sum, part) => sum + part.loss, 0) / trained.length;
      const paths = trained.map(({ path }) => path);
      return { next: isFinite ? state : null, loss, paths, images: batch.count };
    });
  },
};

/** Cross-entropy to the teacher's softmax on the same images, a constant normalised by their batch. */
function distillationLoss({ supernet }: Learner, { images }: Batch, teacher: Path): LossOf {
  const targets = predict(supernet, images, teacher);
  return (logits) => ({ loss: crossEntropyTo(supernet.engine, logits, targets) });
}

/** Draws among which the extremes of a budget are looked for. */
const DRAWS = 1000;

/**
 * The largest and the smallest path: of the space where the budget admits them, otherwise of many
 * random paths of the budget.
 */
function extremes({ space, config: { seed }, sampling }: Setting): readonly [Path, Path] {
  const { largest, smallest } = feasibility(space, sampling.budget);
  const rng = createRng({ seed, stream: 'extremes', step: 0 });
  const { cost } = macsModel(space);
  const isWide = [largest, smallest].every(({ path }) => admits(sampling.budget, path));
  const drawn = isWide ? [] : Array.from({ length: DRAWS }, () => samplePath(space, sampling, rng));
  const byCost = [largest.path, smallest.path, ...drawn]
    .filter((path) => admits(sampling.budget, path))
    .sort((a, b) => cost(b) - cost(a));
  return [byCost.at(0) ?? largest.path, byCost.at(-1) ?? smallest.path];
}
