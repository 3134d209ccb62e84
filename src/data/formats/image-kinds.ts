/** The readable kinds of image files: those that sharp's libvips decodes. */

import type { EncodedImage } from './source.ts';

interface ImageKind {
  readonly name: string;
  /** In lower case; the first is the usual one. */
  readonly extensions: readonly [string, ...string[]];
  /** Whether the first {@link HEAD_BYTES} of a file are those of this kind. */
  readonly starts: (head: string) => boolean;
}

const HEAD_BYTES = 64;

/** Without BMP: sharp's libvips does not decode it. */
const KINDS: readonly ImageKind[] = [
  {
    name: 'JPEG',
    extensions: ['.jpg', '.jpeg', '.jpe', '.jfif'],
    starts: (head) => head.startsWith('\xff\xd8\xff'),
  },
  {
    name: 'PNG',
    extensions: ['.png'],
    starts: (head) => head.startsWith('\x89PNG\r\n\x1a\n'),
  },
  {
    name: 'WebP',
    extensions: ['.webp'],
    starts: (head) => head.startsWith('RIFF') && head.startsWith('WEBP', 8),
  },
  {
    name: 'GIF',
    extensions: ['.gif'],
    starts: (head) => head.startsWith('GIF87a') || head.startsWith('GIF89a'),
  },
  {
    name: 'TIFF',
    extensions: ['.tiff', '.tif'],
    // The last two are BigTIFF.
    starts: (head) =>
      ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((signature) => head.startsWith(signature)),
  },
  {
    name: 'AVIF',
    extensions: ['.avif'],
    // A box of brands: the main one, a version, then compatible ones.
    starts: (head) => head.startsWith('ftyp', 4) && /avi[fs]/u.test(head.slice(8)),
  },
];

const NAMES = KINDS.map(({ name }) => name);
const EXTENSIONS: readonly string[] = KINDS.flatMap(({ extensions }) => extensions);

/** The readable extensions, for messages. */
export const READ_EXTENSIONS: string = EXTENSIONS.join(', ');

/** Extension of a file name in lower case, with its dot; empty for none. */
export function extensionOf(name: string): string {
  return /[^/](\.[^./]*)$/u.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** Whether a file name is that of a readable image. */
export function isImageName(name: string): boolean {
  return EXTENSIONS.includes(extensionOf(name));
}

/**
 * Requires that the first bytes of an image match its name.
 *
 * @throws Error with the reason when they do not.
 */
export function checkKind({ name, bytes }: EncodedImage): void {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  const kind = KINDS.find(({ starts }) => starts(head));
  if (!kind) {
    throw new Error(
      bytes.length === 0 ? 'the file is empty' : `none of ${NAMES.join(', ')}: convert it`,
    );
  }
  const extension = extensionOf(name);
  if (!kind.extensions.includes(extension)) {
    const [usual] = kind.extensions;
    throw new Error(`${kind.name} data in a ${extension} file: rename it to ${usual}`);
  }
}
