/** The contents of a data set's class folders, on disk or in an archive. */

import { TrialError } from '../../foundation/errors.ts';
import { extensionOf, isImageName, READ_EXTENSIONS } from './image-kinds.ts';
import type { Listing, Part, UnreadFiles } from './source.ts';

/** Folders of the test part; the first that exists counts. */
export const TEST_FOLDERS: readonly string[] = ['val', 'test'];

/** Place of a file, from the folders above it. */
export interface Place {
  readonly part: Part;
  /** Null for a file beside the class folders. */
  readonly className: string | null;
  /** Folders between the class folder and the file. */
  readonly inner: readonly string[];
}

/** A file, by its path within the data set. */
export interface PlacedFile extends Place {
  readonly name: string;
}

/** Most folders between a class folder and its images: `<class>/images/` is common, more is not. */
export const MOST_INNER = 1;

/** Names of hidden system files. */
const HIDDEN: readonly string[] = ['Thumbs.db', 'ehthumbs.db', 'desktop.ini', '__MACOSX'];

/** Whether a system, not a person, made a file or folder: `.DS_Store`, `Thumbs.db`. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || HIDDEN.includes(name);
}

/** Whether a file counts as an image of a class. */
export function isListed({ name, className, inner }: PlacedFile): boolean {
  return className !== null && inner.length <= MOST_INNER && isImageName(name);
}

/** Counts unread files by kind. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  get counts(): UnreadFiles {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  toString(): string {
    const counts = Object.entries(this.counts).map(([kind, count]) => `${count} ${kind}`);
    return counts.join(', ');
  }
}

/** Collects the files of a data set, in order. */
export class Contents {
  readonly #images: (PlacedFile & { readonly className: string })[] = [];
  readonly #unread = new Tally();
  /** Unread files of each training class. */
  readonly #classes = new Map<string, Tally>();
  /** Folders that are too deep. */
  readonly #deep = new Set<string>();

  /** Paths of the images, in the order of the listing. */
  get names(): readonly string[] {
    return this.#images.map(({ name }) => name);
  }

  /** Adds a folder: a class counts even if nothing in it can be read. */
  addFolder({ part, className }: Place): void {
    if (className !== null && part === 'train') this.#unreadOf(className);
  }

  add(file: PlacedFile): void {
    const { name, className, inner } = file;
    this.addFolder(file);
    if (className === null) {
      if (isImageName(name)) this.#unread.add(`${extensionOf(name)} in no class folder`);
    } else if (inner.length > MOST_INNER) {
      this.addDeep(file, inner.slice(0, MOST_INNER + 1));
    } else if (isImageName(name)) {
      this.#images.push({ ...file, className });
    } else {
      this.#skip(file, extensionOf(name) || 'without an extension');
    }
  }

  /** Adds a folder that is too deep: its files are not read. */
  addDeep(place: Place, inner: readonly string[]): void {
    const key = [place.part, place.className, ...inner].join('/');
    if (this.#deep.has(key)) return;
    this.#deep.add(key);
    this.#skip(place, 'folder');
  }

  /** Identifies all that a listing depends on besides the images. */
  get fingerprint(): string {
    return JSON.stringify([[...this.#classes.keys()].sort(), this.#unread.counts]);
  }

  /**
   * Numbers the classes of the training part in alphabetical order.
   *
   * @throws TrialError `DATA_INVALID` when a class has no image, there are fewer than two classes, or
   *   the test part has another class.
   */
  listing(where: string): Listing {
    const classes = this.#checkedClasses(where);
    const numbers = new Map(classes.map((name, label) => [name, label]));
    const images = this.#images.map(({ name, part, className }) => {
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
    return { classes, images, unread: this.#unread.counts };
  }

  #checkedClasses(where: string): string[] {
    const training = this.#images.filter(({ part }) => part === 'train');
    const filled = new Set(training.map(({ className }) => className));
    const classes = [...this.#classes.keys()].sort();
    const empty = classes.find((name) => !filled.has(name));
    if (empty !== undefined) {
      const held = String(this.#unreadOf(empty));
      throw new TrialError('DATA_INVALID', {
        where: `${where}: class "${empty}"`,
        wanted: `training images (${READ_EXTENSIONS})`,
        found: held === '' ? 'an empty folder' : `none, but ${held}`,
        next: 'Convert its files to JPEG or PNG, or remove the folder.',
      });
    }
    if (classes.length < 2) {
      const stray = String(this.#unread);
      throw new TrialError('DATA_INVALID', {
        where,
        wanted: `training images (${READ_EXTENSIONS}) of at least two classes`,
        found:
          `${training.length} training images of ${classes.length} classes` +
          (stray === '' ? '' : `, and ${stray}`),
        next: 'Put each class into its own folder, below train/ or in a folder without parts.',
      });
    }
    return classes;
  }

  #skip({ part, className }: Place, kind: string): void {
    this.#unread.add(kind);
    if (className !== null && part === 'train') this.#unreadOf(className).add(kind);
  }

  #unreadOf(className: string): Tally {
    const known = this.#classes.get(className) ?? new Tally();
    this.#classes.set(className, known);
    return known;
  }
}
