/**
 * What a search asks of its config and its data, beyond the schema, before anything is trained.
 * Pure: `lint`, `init`, `npm start` and the search itself ask the same.
 */

import { heldOutSizes } from '../data/stream/held-out.ts';
import { TrialError } from '../foundation/errors.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { defaultWarmupEpochs } from '../algorithms/cream/settings.ts';
import { checkPrior, type TrialConfig } from './config.ts';

/** Settings whose default depends on other settings. */
type DependentKey = 'probeImages' | 'metaImages' | 'warmupEpochs';

/** A config that leaves no default open which another setting decides. */
export type ResolvedConfig = TrialConfig & Readonly<Required<Pick<TrialConfig, DependentKey>>>;

/** What is known of the images before they are decoded, or of those that could be used after it. */
export interface ImageCounts {
  readonly classes: readonly unknown[];
  readonly trainImages: number;
}

const PROBE_IMAGES = 4;
const META_IMAGES = 32;

/**
 * Fills in the defaults that depend on other settings, so that they never contradict these. To be
 * called after a tuner has set its parameters.
 */
export function resolveDefaults(config: TrialConfig): ResolvedConfig {
  const { epochs, batchSize } = config;
  return {
    ...config,
    probeImages: config.probeImages ?? Math.min(PROBE_IMAGES, batchSize),
    metaImages: config.metaImages ?? Math.min(META_IMAGES, batchSize),
    warmupEpochs: config.warmupEpochs ?? Math.min(defaultWarmupEpochs(epochs), epochs - 1),
  };
}

/**
 * Refuses numbers that each are legal and together make the algorithm do nothing, or the wrong
 * thing, and a prior that the space cannot follow.
 *
 * @throws TrialError CONFIG_INVALID
 */
export function checkConfig(config: ResolvedConfig, space: SearchSpace): void {
  const { epochs, batchSize, probeImages, metaImages, warmupEpochs } = config;
  const atMostBatch = `at most batchSize (${batchSize})`;
  if (warmupEpochs >= epochs) {
    refuse('warmupEpochs', `fewer than epochs (${epochs}), or the board never opens`, warmupEpochs);
  }
  if (probeImages > batchSize) refuse('probeImages', atMostBatch, probeImages);
  if (metaImages > batchSize) refuse('metaImages', atMostBatch, metaImages);
  checkPrior(space, config.prior);
}

/**
 * Refuses data that do not suit the network or the batch.
 *
 * @throws TrialError CONFIG_INVALID when the number of classes is not the skeleton's, or a batch
 *   needs more images than there are to train on.
 * @throws TrialError DATA_INVALID when the images are too few for a held-out part.
 */
export function checkData(
  { data, batchSize }: TrialConfig,
  space: SearchSpace,
  { classes, trainImages }: ImageCounts,
): void {
  if (classes.length !== space.classes) {
    throw new TrialError('CONFIG_INVALID', {
      where: data.path,
      wanted: `${space.classes} classes, as in the skeleton "${space.name}"`,
      found: String(classes.length),
      next: 'Set "classes" in the skeleton file to the number of classes of the data set.',
    });
  }
  const images = Math.min(trainImages, data.maxImages ?? Infinity);
  const { training } = heldOutSizes(images, classes.length);
  if (batchSize > training) {
    const wanted = `at most the ${training} training images beside the held-out ones`;
    refuse('batchSize', wanted, batchSize);
  }
}

function refuse(where: string, wanted: string, found: number): never {
  const next = 'Correct the trial config.';
  throw new TrialError('CONFIG_INVALID', { where, wanted, found: String(found), next });
}
