import { TrialError } from '../../foundation/errors.ts';
import type { Listing, Part } from './source.ts';

const IMAGE_NAME = /\.(?:jpe?g|png)$/iu;

/** An image whose folders say its part and class. */
export interface LabelledPath {
  readonly name: string;
  readonly part: Part;
  readonly className: string;
}

/** Whether a file name ends like the image formats that are read: JPEG and PNG. */
export function isImageName(name: string): boolean {
  return IMAGE_NAME.test(name);
}

/**
 * Numbers the classes of the training part in alphabetical order.
 *
 * @throws TrialError `DATA_INVALID` when a part is empty of classes or the parts disagree.
 */
export function listingOf(where: string, paths: readonly LabelledPath[]): Listing {
  const training = paths.filter(({ part }) => part === 'train');
  const classes = [...new Set(training.map(({ className }) => className))].sort();
  if (classes.length < 2) {
    throw new TrialError('DATA_INVALID', {
      where,
      wanted: 'training images of at least two classes in train/<class>/*.jpg, *.jpeg or *.png',
      found: `${training.length} training images of ${classes.length} classes`,
      next: 'Put each class into its own folder below train/.',
    });
  }
  const numbers = new Map(classes.map((name, label) => [name, label]));
  const images = paths.map(({ name, part, className }) => {
    const label = numbers.get(className);
    if (label === undefined) {
      throw new TrialError('DATA_INVALID', {
        where: `${where}: ${name}`,
        wanted: 'a class that the training part has too',
        found: className,
        next: 'Use the same class folders in every part.',
      });
    }
    return { name, part, label };
  });
  return { classes, images, unread: {} };
}
