/** What every reader of a data set offers, whatever its format. */

/** Formats that can be read. */
export const DATA_FORMATS = ['image-folder', 'tar', 'zip', 'cifar10', 'idx'] as const;

/** Name of a format. */
export type DataFormat = (typeof DATA_FORMATS)[number];

/** Training images, or those that the final answer is tested on. */
export type Part = 'train' | 'test';

/** One image before it is read. */
export interface ListedImage {
  /** Path within the data set, for messages. */
  readonly name: string;
  readonly part: Part;
  /** Position in the listing's classes. */
  readonly label: number;
}

/**
 * Files of a data set that are not read, counted by their kind: mostly the extension in lower case,
 * with its dot.
 */
export type UnreadFiles = Readonly<Record<string, number>>;

/** All images of a data set, in an order that depends on the data alone. */
export interface Listing {
  readonly classes: readonly string[];
  readonly images: readonly ListedImage[];
  readonly unread: UnreadFiles;
}

/** An image file's bytes. */
export interface EncodedImage {
  readonly kind: 'encoded';
  /** Path, whose ending has to agree with the bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An image file's bytes, or pixels that are decoded already. */
export type Payload =
  | EncodedImage
  | {
      readonly kind: 'pixels';
      /** `uint8 [side, side, 3]`. */
      readonly pixels: Uint8Array;
      readonly side: number;
    };

/** One image that can now be loaded. */
export interface ReadableImage {
  /** Position in the listing. */
  readonly position: number;
  /** Rejects with the reason when this image cannot be read. */
  readonly load: () => Promise<Payload>;
}

/** A data set on disk. */
export interface ImageSource {
  /** Path of the data set, for messages. */
  readonly path: string;
  readonly format: DataFormat;
  /** Whether its images are digits or other signs, which change their meaning in a mirror. */
  readonly signs: boolean;
  /** Says which bytes would be read: file names, sizes and times of change. */
  fingerprint(): Promise<readonly string[]>;
  /** @throws TrialError `DATA_INVALID` when the files are damaged or hold nothing usable. */
  list(): Promise<Listing>;
  /** Reads the wanted positions of the listing, in ascending order. */
  read(wanted: ReadonlySet<number>): AsyncGenerator<ReadableImage, void, undefined>;
}

/** Whether the images show digits or other signs, which change their meaning in a mirror. */
export function showsSigns(source: ImageSource, classes: readonly string[]): boolean {
  return source.signs || classes.every((name) => /^\d$/u.test(name));
}

/** Says which files were not read; nothing where all were. */
export function unreadWarnings(unread: UnreadFiles): string[] {
  const counts = Object.entries(unread).map(([kind, count]) => `${count} ${kind}`);
  return counts.length === 0 ? [] : [`in the class folders, not read: ${counts.join(', ')}`];
}
