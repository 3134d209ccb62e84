/**
 * Plans a search from its config, its space and the numbers of its images, and makes all checks beyond
 * the schema that need no training. Pure: `lint`, `init`, `npm start` and the search share it.
 */

import type { Algorithm } from '../algorithms/algorithm.ts';
import { ALGORITHMS } from '../algorithms/registry.ts';
import { heldOutSizes, type HeldOutSizes } from '../data/stream/held-out.ts';
import { TrialError } from '../foundation/errors.ts';
import { networkBudget } from '../searchspace/budget.ts';
import { macsModel } from '../searchspace/cost-model.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import type { Strategy } from '../selection/strategy.ts';
import { planTraining, type TrainingPlan } from '../training/plan.ts';
import { checkPrior, type TrialConfig } from './config.ts';

/** Numbers of images: of all before decoding, of usable ones after it. */
export interface ImageCounts {
  readonly classes: readonly unknown[];
  readonly trainImages: number;
}

/** All that a config decides about a search, defaults filled in. */
export interface SearchPlan {
  readonly plan: TrainingPlan;
  readonly algorithm: Algorithm<unknown>;
  readonly strategy: Strategy;
}

/**
 * Budget and prior of a config.
 *
 * @throws TrialError CONFIG_INVALID as {@link checkPrior}.
 */
export function samplingOf(config: TrialConfig, space: SearchSpace): SamplerOptions {
  checkPrior(space, config.prior);
  return { budget: networkBudget(space, config), prior: config.prior ?? null };
}

/**
 * Plans a search.
 *
 * @param sampling - That of the config; one value for all of a search counts its budget only once.
 * @throws TrialError CONFIG_INVALID when numbers contradict each other, when the prior names unknown
 *   candidates, or as {@link checkData}.
 * @throws TrialError DATA_INVALID as {@link checkData}.
 */
export function planSearch(
  config: TrialConfig,
  space: SearchSpace,
  counts: ImageCounts,
  sampling: SamplerOptions = samplingOf(config, space),
): SearchPlan {
  const sizes = checkData(config, space, counts);
  const plan = planTraining(config, sizes.training);
  const definition = ALGORITHMS[config.algorithm];
  const algorithm = definition.create({
    space,
    config,
    schedule: plan,
    sampling,
    macsOf: macsModel(space).cost,
    boardImages: sizes.board,
  });
  return { plan, algorithm, strategy: config.selection.strategy ?? definition.selection };
}

/**
 * Refuses data that do not fit the network or the batch.
 *
 * @returns The sizes of the split.
 * @throws TrialError CONFIG_INVALID when the number of classes is not the skeleton's, or a batch
 *   needs more images than there are to train on.
 * @throws TrialError DATA_INVALID when the images are too few for a held-out part.
 */
export function checkData(
  { data, batchSize }: TrialConfig,
  space: SearchSpace,
  { classes, trainImages }: ImageCounts,
): HeldOutSizes {
  const refuse = (where: string, wanted: string, found: number, next: string): never => {
    throw new TrialError('CONFIG_INVALID', { where, wanted, found: String(found), next });
  };
  if (classes.length !== space.classes) {
    const wanted = `${space.classes} classes, as in the skeleton "${space.name}"`;
    const next = 'Set "classes" in the skeleton file to the number of classes of the data set.';
    refuse(data.path, wanted, classes.length, next);
  }
  const images = Math.min(trainImages, data.maxImages ?? Infinity);
  const sizes = heldOutSizes(images, classes.length);
  if (batchSize > sizes.training) {
    const wanted = `at most the ${sizes.training} training images beside the held-out ones`;
    refuse('batchSize', wanted, batchSize, 'Correct the trial config.');
  }
  return sizes;
}
