/** The interface of all readers of data sets. */

/** Formats that can be read. */
export const DATA_FORMATS = ['image-folder', 'tar', 'zip', 'cifar10', 'idx'] as const;

/** Name of a format. */
export type DataFormat = (typeof DATA_FORMATS)[number];

/** Training images, or test images for the answer. */
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
 * Unread files of a data set, counted by kind: mostly the extension in lower case, with its dot.
 */
export type UnreadFiles = Readonly<Record<string, number>>;

/** All images of a data set, in an order that depends only on the data. */
export interface Listing {
  readonly classes: readonly string[];
  readonly images: readonly ListedImage[];
  readonly unread: UnreadFiles;
}

/** An image file's bytes. */
export interface EncodedImage {
  readonly kind: 'encoded';
  /** Path; its extension must match the bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An image file's bytes, or decoded pixels. */
export type Payload =
  | EncodedImage
  | {
      readonly kind: 'pixels';
      /** `uint8 [side, side, 3]`. */
      readonly pixels: Uint8Array;
      readonly side: number;
    };

/** One image that is ready to load. */
export interface ReadableImage {
  /** Position in the listing. */
  readonly position: number;
  /** Rejects with the reason if this image cannot be read. */
  readonly load: () => Promise<Payload>;
}

/** A data set on disk. */
export interface ImageSource {
  /** Path of the data set, for messages. */
  readonly path: string;
  readonly format: DataFormat;
  /** Whether its images are digits or other signs, which must not be mirrored. */
  readonly signs: boolean;
  /** Identifies the bytes to be read: file names, sizes and times of change. */
  fingerprint(): Promise<readonly string[]>;
  /** @throws TrialError `DATA_INVALID` when the files are damaged or hold nothing usable. */
  list(): Promise<Listing>;
  /** Reads the wanted positions of the listing, in ascending order. */
  read(wanted: ReadonlySet<number>): AsyncGenerator<ReadableImage, void, undefined>;
}

/** Whether the images show digits or other signs, which must not be mirrored. */
export function showsSigns(source: ImageSource, classes: readonly string[]): boolean {
  return source.signs || classes.every((name) => /^\d$/u.test(name));
}

/** A warning about unread files; empty if all were read. */
export function unreadWarnings(unread: UnreadFiles): string[] {
  const counts = Object.entries(unread).map(([kind, count]) => `${count} ${kind}`);
  return counts.length === 0 ? [] : [`in the class folders, not read: ${counts.join(', ')}`];
}
