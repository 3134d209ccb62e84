import { bytesPerImage, CHANNELS, imageAt, labelAt, type ImageSet } from '../store/image-set.ts';

/** Normalised images and their classes. */
export interface Batch {
  readonly count: number;
  /**
   * `float32 [count, size, size, 3]`, normalised by the mean and standard deviation of the training
   * images. Read it once per use: each read may compute it again.
   */
  readonly images: Float32Array;
  /** `int32 [count]`, class indices. */
  readonly labels: Int32Array;
}

/** Red, green, blue. */
export type Triple = readonly [number, number, number];

/** Mean and standard deviation for normalisation, in fractions of the full intensity. */
export interface Normalisation {
  readonly mean: Triple;
  /** Standard deviation. */
  readonly std: Triple;
}

const FULL = 255;
const LEVELS = 256;
/** One level of intensity: a channel of one value would otherwise be divided by zero. */
const LEAST_STD = 1 / FULL;

function momentsOf(levels: Float64Array): { readonly mean: number; readonly std: number } {
  let count = 0;
  let sum = 0;
  let squares = 0;
  levels.forEach((times, level) => {
    const value = level / FULL;
    count += times;
    sum += times * value;
    squares += times * value * value;
  });
  const mean = sum / count;
  const variance = Math.max(0, squares / count - mean * mean);
  return { mean, std: Math.max(LEAST_STD, Math.sqrt(variance)) };
}

/** Mean and standard deviation of each channel over all pixels of the given images. */
export function measureNormalisation(set: ImageSet, indices: Int32Array): Normalisation {
  const red = new Float64Array(LEVELS);
  const green = new Float64Array(LEVELS);
  const blue = new Float64Array(LEVELS);
  const tally = (levels: Float64Array, level: number): void => {
    levels[level] = (levels[level] ?? 0) + 1;
  };
  for (const index of indices) {
    const pixels = imageAt(set, index);
    for (let at = 0; at < pixels.length; at += CHANNELS) {
      tally(red, pixels[at] ?? 0);
      tally(green, pixels[at + 1] ?? 0);
      tally(blue, pixels[at + 2] ?? 0);
    }
  }
  const [r, g, b] = [momentsOf(red), momentsOf(green), momentsOf(blue)];
  return {
    mean: [r.mean, g.mean, b.mean],
    std: [r.std, g.std, b.std],
  };
}

/** Turns intensities in [0, 255], `float32 [..., 3]`, into (x / 255 - mean) / std in place. */
export function normaliseInPlace(pixels: Float32Array, { mean, std }: Normalisation): void {
  for (let channel = 0; channel < CHANNELS; channel++) {
    const scale = 1 / (FULL * (std[channel] ?? 1));
    const shift = -(mean[channel] ?? 0) / (std[channel] ?? 1);
    for (let at = channel; at < pixels.length; at += CHANNELS) {
      pixels[at] = (pixels[at] ?? 0) * scale + shift;
    }
  }
}

/**
 * The given images without augmentation.
 *
 * Each read of `images` normalises them into a new array, so that a list of batches needs no memory.
 */
export function plainBatch(
  set: ImageSet,
  indices: Int32Array,
  normalisation: Normalisation,
): Batch {
  return {
    count: indices.length,
    labels: indices.map((index) => labelAt(set, index)),
    get images() {
      const length = bytesPerImage(set.size);
      const pixels = new Float32Array(indices.length * length);
      indices.forEach((index, at) => {
        pixels.set(imageAt(set, index), at * length);
      });
      normaliseInPlace(pixels, normalisation);
      return pixels;
    },
  };
}

/** Some neighbours of a batch, as views. */
export function sliceBatch(batch: Batch, start: number, end: number): Batch {
  const imageLength = batch.images.length / batch.count;
  return {
    count: end - start,
    images: batch.images.subarray(start * imageLength, end * imageLength),
    labels: batch.labels.subarray(start, end),
  };
}
