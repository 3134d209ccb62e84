/** Counts the images of each class, and warns of too few. */

import { sizesOf } from './stream/held-out.ts';

/** Images of one class, by part. */
export interface ClassCount {
  readonly name: string;
  readonly train: number;
  readonly test: number;
}

/** Counts of a data set. */
export interface Census {
  /** Sorted by name, in the order of their indices. */
  readonly classes: readonly ClassCount[];
  readonly trainImages: number;
  readonly testImages: number;
}

/** Largest standard error of an accuracy on a sufficient validation split, fraction. */
const LARGE_ERROR = 0.025;
const CLASSES_NAMED = 5;

/** Counts images by class. @param labels - Classes of the images of each part, as indices. */
export function countImages(
  names: readonly string[],
  labels: { readonly train: Iterable<number>; readonly test: Iterable<number> },
): Census {
  const tally = (part: Iterable<number>): number[] => {
    const counts = names.map(() => 0);
    for (const label of part) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  };
  const [train, test] = [tally(labels.train), tally(labels.test)];
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  return {
    classes: names.map((name, at) => ({ name, train: train[at] ?? 0, test: test[at] ?? 0 })),
    trainImages: sum(train),
    testImages: sum(test),
  };
}

/**
 * Warnings about data that a search accepts but can say little about: classes with one image or
 * without a test image, a validation split that is too small to tell paths apart.
 */
export function censusWarnings({ classes, trainImages, testImages }: Census): string[] {
  const single = classes.filter(({ train }) => train === 1);
  const untested = testImages === 0 ? [] : classes.filter(({ test }) => test === 0);
  const lacking = classes.filter(({ train }) => train === 0);
  const { training, ranking, confirmation } = sizesOf(trainImages);
  // Without such a split, splitting fails.
  const error = ranking === 0 ? 0 : 0.5 / Math.sqrt(ranking);
  return [
    ...named(lacking, 'without a training image'),
    ...named(single, 'with a single training image, too few to train and to validate on'),
    ...named(untested, 'without a test image'),
    ...(error <= LARGE_ERROR
      ? []
      : [
          `${trainImages - training} of ${trainImages} training images are held out, ` +
            `${ranking} of them in the validation split and ${confirmation || 'none'} to confirm the ` +
            `answer: an accuracy of 0.5 has a standard error of ${error.toPrecision(2)} in the ` +
            'split, too much to tell paths apart',
        ]),
  ];
}

function named(classes: readonly ClassCount[], what: string): string[] {
  if (classes.length === 0) return [];
  const names = classes.slice(0, CLASSES_NAMED).map(({ name }) => `"${name}"`);
  const more = classes.length > CLASSES_NAMED ? ', …' : '';
  return [`${classes.length} of the classes ${what}: ${names.join(', ')}${more}`];
}
