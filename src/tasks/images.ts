import { defaultAugmentation, type Augmentation } from '../data/stream/augment.ts';
import { measureNormalisation, type Batch, type Normalisation } from '../data/stream/batch.ts';
import { openDataset, type Dataset } from '../data/store/dataset.ts';
import {
  heldOutBatches,
  plainBatches,
  splitHeldOut,
  testBatches,
  type HeldOut,
  type HeldOutSplit,
} from '../data/stream/held-out.ts';
import { createTrainingBatches } from '../data/stream/training-batches.ts';
import type { Logger } from '../foundation/logger.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import type { Clock } from '../foundation/clock.ts';
import { checkData } from './search-plan.ts';
import type { TrialConfig } from './config.ts';

/** The images of a run, by part. */
export interface Images {
  readonly dataset: Dataset;
  readonly split: HeldOutSplit;
  /** Of the training part. */
  readonly normalisation: Normalisation;
  readonly heldOut: HeldOut;
  /** Batches that confirm the answer, which nothing else may see; none in a small set. */
  readonly confirmation: readonly Batch[];
  /** Batches of the test part; null where there is none. */
  readonly test: Iterable<Batch> | null;
}

/** Batch size without gradients. */
const EVALUATION_BATCH = 250;

/**
 * Opens the data set of a config and splits it.
 *
 * @throws TrialError DATA_NOT_FOUND, DATA_INVALID, or CONFIG_INVALID when its classes are not the
 *   skeleton's.
 */
export async function openImages(
  config: TrialConfig,
  space: SearchSpace,
  logger: Logger,
): Promise<Images> {
  const { data, seed, calibrationImages } = config;
  const dataset = await openDataset({
    ...data,
    imageSize: space.imageSize,
    cacheFolder: data.cache,
    logger,
  });
  const { train } = dataset;
  checkData(config, space, { classes: dataset.classes, trainImages: train.count });
  const split = splitHeldOut(train.labels, { seed });
  const normalisation = measureNormalisation(train, split.training);
  const evaluation = { normalisation, batchSize: EVALUATION_BATCH };
  return {
    dataset,
    split,
    normalisation,
    heldOut: heldOutBatches({ images: train, split, ...evaluation, calibrationImages }),
    confirmation: plainBatches(train, split.confirmation, evaluation),
    test: dataset.test === null ? null : testBatches(dataset.test, evaluation),
  };
}

/** Starts the thread that makes the training batches. The caller closes them. */
export function openTrainingBatches(
  { dataset, split, normalisation }: Images,
  config: TrialConfig,
  { stepsPerEpoch, clock }: { stepsPerEpoch: number; clock: Clock },
): ReturnType<typeof createTrainingBatches> {
  return createTrainingBatches({
    images: dataset.train,
    indices: split.training,
    normalisation,
    augmentation: augmentationOf(config.data, dataset),
    batchSize: config.batchSize,
    seed: config.seed,
    stepsPerEpoch,
    clock,
  });
}

function augmentationOf(
  { flip, jitter, erasing }: TrialConfig['data'],
  dataset: Dataset,
): Augmentation {
  const standard = defaultAugmentation({ size: dataset.train.size, digits: dataset.digits });
  return { ...standard, jitter, erasing, ...(flip === 'auto' ? {} : { flip }) };
}
