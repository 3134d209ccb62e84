import { TrialError } from '../../foundation/errors.ts';
import type { ImageSet } from '../store/image-set.ts';
import { stratifiedOrder } from '../store/stratify.ts';
import { plainBatch, type Batch, type Normalisation } from './batch.ts';

const HELD_OUT_SHARE = 0.1;
const MOST_HELD_OUT = 5000;
/** Images of the mini-set and of the meta step's part, if there are enough. */
const SMALL_PART = 256;
const PARTS = 3;
/** Share of what is left for validation that confirms the answer instead of choosing it. */
const CONFIRMATION_SHARE = 1 / 3;
/** Fewer images could confirm nothing, so that none are taken from validation. */
export const LEAST_CONFIRMATION = 30;

/** Disjoint indices into the training images, each stratified at every prefix. */
export interface HeldOutSplit {
  /** Images to train on. */
  readonly training: Int32Array;
  /** Mini-set for admission to the board. */
  readonly board: Int32Array;
  /** Images for the loss of the meta step. */
  readonly meta: Int32Array;
  /** The validation split, for ranking paths. */
  readonly ranking: Int32Array;
  /** Images that confirm the answer and choose nothing; none in a small set. */
  readonly confirmation: Int32Array;
}

/** How many images each part of a split gets. */
export type HeldOutSizes = Readonly<Record<keyof HeldOutSplit, number>>;

/**
 * Sizes of a split: a tenth of the images is held out, at most 5,000: 256 for the board, 256 for the
 * meta step, the rest for validation. If fewer than 768 are held out, the three parts have one size.
 * A third of the validation images confirm the answer, unless that would be fewer than 30.
 *
 * @param images - Number of training images.
 * @param classes - Number of classes that they have.
 * @throws TrialError `DATA_INVALID` when a part is too small for one image of each class.
 */
export function heldOutSizes(images: number, classes: number): HeldOutSizes {
  const sizes = sizesOf(images);
  const least = Math.min(SMALL_PART, Math.max(1, classes));
  if (sizes.board < least) {
    throw new TrialError('DATA_INVALID', {
      where: 'training images',
      wanted: `at least ${Math.ceil((least * PARTS) / HELD_OUT_SHARE)} for ${classes} classes`,
      found: String(images),
      next: 'Use more images or fewer classes: a tenth is held out in three parts.',
    });
  }
  return sizes;
}

/** As {@link heldOutSizes}, even for too few images. */
export function sizesOf(images: number): HeldOutSizes {
  const heldOut = Math.min(MOST_HELD_OUT, Math.floor(images * HELD_OUT_SHARE));
  const small = Math.min(SMALL_PART, Math.floor(heldOut / PARTS));
  const validation = heldOut - 2 * small;
  const share = Math.floor(validation * CONFIRMATION_SHARE);
  const confirmation = share < LEAST_CONFIRMATION ? 0 : share;
  const ranking = validation - confirmation;
  return { board: small, meta: small, ranking, confirmation, training: images - heldOut };
}

/**
 * Holds images out of the training part, in the proportions of its classes.
 *
 * @param labels - `int32 [count]`, class indices.
 * @throws TrialError `DATA_INVALID` as {@link heldOutSizes} does.
 */
export function splitHeldOut(
  labels: Int32Array,
  { seed }: { readonly seed: number },
): HeldOutSplit {
  const sizes = heldOutSizes(labels.length, new Set(labels).size);
  const order = stratifiedOrder(labels, seed);
  let taken = 0;
  const next = (count: number): Int32Array => order.slice(taken, (taken += count));
  return {
    board: next(sizes.board),
    meta: next(sizes.meta),
    ranking: next(sizes.ranking),
    confirmation: next(sizes.confirmation),
    training: next(sizes.training),
  };
}

/**
 * Held-out images, not augmented, that training and selection may see; the parts are disjoint. Those
 * that confirm the answer are not among them.
 */
export interface HeldOut {
  /** Mini-set for measurements during training. */
  readonly board: Batch;
  /** Validation images of one meta step, at most `count`; cycles through its part. */
  meta(metaStep: number, count: number): Batch;
  /** Batches of the validation split. */
  readonly ranking: readonly Batch[];
  /** Batches of training images for recalibrating batch norm before a ranking. */
  readonly calibration: readonly Batch[];
}

/** How to make batches of held-out images. */
export interface HeldOutOptions {
  readonly images: ImageSet;
  readonly split: HeldOutSplit;
  readonly normalisation: Normalisation;
  /** Images of a ranking, calibration or test batch; the last one may be smaller. */
  readonly batchSize: number;
  /** Training images that batch norm is recalibrated on. */
  readonly calibrationImages: number;
}

/** Cuts indices into batches of normalised images; the last one may be smaller. */
export function plainBatches(
  set: ImageSet,
  indices: Int32Array,
  options: { readonly batchSize: number; readonly normalisation: Normalisation },
): Batch[] {
  const count = Math.ceil(indices.length / options.batchSize);
  return Array.from({ length: count }, (_, batch) => {
    const start = batch * options.batchSize;
    const members = indices.subarray(start, start + options.batchSize);
    return plainBatch(set, members, options.normalisation);
  });
}

/** Batches of a split. Meta steps cycle through their part, wrapping around at its end. */
export function heldOutBatches(options: HeldOutOptions): HeldOut {
  const { images, split, normalisation } = options;
  const batches = (indices: Int32Array): Batch[] => plainBatches(images, indices, options);
  return {
    board: plainBatch(images, split.board, normalisation),
    meta: (metaStep, count) => {
      const length = Math.min(count, split.meta.length);
      const member = (_: unknown, at: number): number =>
        split.meta[(metaStep * length + at) % split.meta.length] ?? 0;
      return plainBatch(images, Int32Array.from({ length }, member), normalisation);
    },
    ranking: batches(split.ranking),
    calibration: batches(split.training.subarray(0, options.calibrationImages)),
  };
}

/** Batches of a whole set in its own order, such as the test part. */
export function testBatches(
  set: ImageSet,
  options: { readonly batchSize: number; readonly normalisation: Normalisation },
): Batch[] {
  return plainBatches(
    set,
    Int32Array.from({ length: set.count }, (_, index) => index),
    options,
  );
}
