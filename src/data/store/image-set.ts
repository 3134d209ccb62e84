import { createHash } from 'node:crypto';
import { TrialError } from '../../foundation/errors.ts';

/** Colour channels of every image: red, green, blue. */
export const CHANNELS = 3;

/** Decoded images of one part, in memory that worker threads share. */
export interface ImageSet {
  readonly count: number;
  /** Height and width in pixels. */
  readonly size: number;
  /** `uint8 [count, size, size, 3]`. */
  readonly images: Uint8Array<SharedArrayBuffer>;
  /** `int32 [count]`, positions in `classes`. */
  readonly labels: Int32Array<SharedArrayBuffer>;
  readonly classes: readonly string[];
}

/** Node hashes less than 2 GiB at a time. */
const HASHED_AT_ONCE = 2 ** 30;

/** Size and classes of an image set. */
export interface ImageSetShape {
  readonly count: number;
  /** Height and width in pixels. */
  readonly size: number;
  readonly classes: readonly string[];
}

/** Bytes of one image of `size` x `size` pixels. */
export function bytesPerImage(size: number): number {
  return size * size * CHANNELS;
}

/** Reserves a set of black images of class 0. */
export function createImageSet(shape: ImageSetShape): ImageSet {
  const { count, size } = shape;
  const images = new Uint8Array(new SharedArrayBuffer(count * bytesPerImage(size)));
  const labels = new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
  return { ...shape, images, labels };
}

/** Pixels of one image, `uint8 [size, size, 3]`; a view, not a copy. */
export function imageAt(set: ImageSet, index: number): Uint8Array<SharedArrayBuffer> {
  const length = bytesPerImage(set.size);
  return set.images.subarray(index * length, (index + 1) * length);
}

/** SHA-256 of the pixels of all images, set after set; hexadecimal. */
export function pixelsSha256(...sets: readonly ImageSet[]): string {
  const hash = createHash('sha256');
  for (const { images } of sets) {
    for (let at = 0; at < images.length; at += HASHED_AT_ONCE) {
      hash.update(images.subarray(at, at + HASHED_AT_ONCE));
    }
  }
  return hash.digest('hex');
}

/**
 * Class of one image.
 *
 * @throws TrialError `DATA_INVALID` when the set has no such image.
 */
export function labelAt(set: ImageSet, index: number): number {
  const label = set.labels[index];
  if (label === undefined) {
    throw new TrialError('DATA_INVALID', {
      where: `image ${index}`,
      wanted: `an index below ${set.count}`,
      found: String(index),
      next: 'Split the same image set that is read.',
    });
  }
  return label;
}
