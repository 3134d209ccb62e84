import { createRng } from '../../foundation/rng.ts';
import { bytesPerImage, imageAt, labelAt, type ImageSet } from '../store/image-set.ts';
import { augmentImage, type Augmentation } from './augment.ts';
import { normaliseInPlace, type Batch, type Normalisation } from './batch.ts';

/** All that determines a training batch besides its step; plain data for a thread. */
export interface TrainingPlan {
  readonly images: ImageSet;
  /** Images to train on, `int32 [count]`. */
  readonly indices: Int32Array;
  readonly batchSize: number;
  /** Steps after which the images are redrawn. */
  readonly stepsPerEpoch: number;
  readonly seed: number;
  readonly augmentation: Augmentation;
  readonly normalisation: Normalisation;
}

/** Selects the images of a step. */
export type StepIndices = (step: number) => Int32Array<ArrayBuffer>;

/**
 * Draws the images of each epoch without replacement. An epoch longer than the set continues with a
 * new permutation. Keeps only the current permutation; accepts steps in any order.
 */
export function createStepIndices(
  plan: Omit<TrainingPlan, 'augmentation' | 'images' | 'normalisation'>,
): StepIndices {
  const { indices, batchSize, stepsPerEpoch, seed } = plan;
  let current = { key: '', order: new Int32Array(0) };
  const orderOf = (epoch: number, round: number): Int32Array => {
    const key = `${epoch} ${round}`;
    if (key !== current.key) {
      const rng = createRng({ seed, stream: 'epoch', step: epoch, index: round });
      current = { key, order: rng.permutation(indices.length) };
    }
    return current.order;
  };
  return (step) => {
    const epoch = Math.floor(step / stepsPerEpoch);
    const start = (step % stepsPerEpoch) * batchSize;
    return Int32Array.from({ length: batchSize }, (_, at) => {
      const round = Math.floor((start + at) / indices.length);
      const member = orderOf(epoch, round)[(start + at) % indices.length] ?? 0;
      return indices[member] ?? 0;
    });
  };
}

/** Makes the batch of one step; a pure function of (plan, step). */
export function createBatchMaker(plan: TrainingPlan): (step: number) => Batch {
  const { images, batchSize, seed } = plan;
  const indicesOf = createStepIndices(plan);
  const length = bytesPerImage(images.size);
  return (step) => {
    const indices = indicesOf(step);
    const pixels = new Float32Array(batchSize * length);
    indices.forEach((member, index) => {
      const target = pixels.subarray(index * length, (index + 1) * length);
      const image = { source: imageAt(images, member), target, size: images.size };
      augmentImage(image, plan.augmentation, createRng({ seed, stream: 'augment', step, index }));
    });
    normaliseInPlace(pixels, plan.normalisation);
    const labels = indices.map((member) => labelAt(images, member));
    return { count: batchSize, images: pixels, labels };
  };
}
