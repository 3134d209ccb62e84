/** Whether a search was worth its time: its answer against random paths, on images that chose nothing. */

import { LEAST_CONFIRMATION } from '../data/stream/held-out.ts';
import { mean, standardError } from '../foundation/statistics.ts';

/** Standard errors from which on a difference is one. */
export const SURE = 2;
/** A measurement that can only tell larger differences in accuracy than this needs more images. */
const COARSE = 0.1;

/** The answer's accuracy less the mean of random paths, and how sure it is. */
export interface Verdict {
  readonly betterThanRandom: 'yes' | 'no' | 'too-few-images';
  /** Fraction. */
  readonly difference: number;
  /** Of the difference, over images and random paths that could have been drawn. */
  readonly standardError: number;
  /** Its part that more images would make smaller. */
  readonly errorOfImages: number;
  /** Its part that more random paths would make smaller; 0 of a single one, whose spread is not known. */
  readonly errorOfPaths: number;
  /** Difference in standard errors; null where there is no error. */
  readonly standardErrors: number | null;
}

/**
 * Compares the answer with random paths on the same images. Pairing takes out what all paths find hard
 * or easy: the error of the images is that of `hit of the answer - mean hit of the random paths`. The
 * spread of the random paths adds the error of having drawn these; both together are a little more
 * than the error, since the paths differ on these images more than they would on all.
 *
 * @param answer - 1 or 0 for each image: whether it was right.
 * @param random - The same of each random path; one path or more.
 */
export function judge(answer: readonly number[], random: readonly (readonly number[])[]): Verdict {
  const gains = answer.map((hit, image) => hit - mean(random.map((hits) => hits[image] ?? 0)));
  const difference = mean(gains);
  const errorOfImages = standardError(gains);
  const errorOfPaths = standardError(random.map(mean));
  const error = Math.hypot(errorOfImages, errorOfPaths);
  const isMore = difference > 0 && difference >= SURE * error;
  const isCoarse = SURE * errorOfImages > COARSE;
  const isFew = answer.length < LEAST_CONFIRMATION;
  return {
    betterThanRandom: isFew || (isCoarse && !isMore) ? 'too-few-images' : isMore ? 'yes' : 'no',
    difference,
    standardError: error,
    errorOfImages,
    errorOfPaths,
    standardErrors: error === 0 ? null : difference / error,
  };
}

/**
 * Whether images tell two paths apart: by more than the standard error of their paired difference.
 *
 * @param a - A number for each image, such as the loss.
 * @param b - The same of another path.
 */
export function isWithinNoise(a: readonly number[], b: readonly number[]): boolean {
  const differences = a.map((value, image) => value - (b[image] ?? 0));
  return Math.abs(mean(differences)) <= standardError(differences);
}
