import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { fileStamp } from './file-stamp.ts';
import { openPixelSource, type PixelPart } from './pixel-source.ts';
import { readWholeFile } from './read-file.ts';
import type { ImageSource, Part } from './source.ts';

/** IDX of unsigned bytes: two zero bytes, type 8, number of axes, then one uint32 per axis. */
const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;
/** Most bytes of a file, packed or not: 1 GiB, twice the largest of the MNIST family. */
const MAX_BYTES = 2 ** 30;
/** Most images of a file; the largest of the MNIST family has 814,255. */
const MAX_IMAGES = 2 ** 22;
const MAX_SIDE = 1024;
/** Packed bytes that hold the header. */
const HEAD_BYTES = 1024;
/** The MNIST family's 28 x 28 pixels are padded to this side, as LeNet-5 did. */
const PADDED = 32;

const FASHION_CLASSES = [
  't-shirt',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle-boot',
];
const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

const PARTS: readonly { readonly part: Part; readonly prefix: string }[] = [
  { part: 'train', prefix: 'train' },
  { part: 'test', prefix: 't10k' },
];

function invalid(where: string, wanted: string, found: string): TrialError {
  const next = 'Fetch the data set again.';
  return new TrialError('DATA_INVALID', { where, wanted, found, next });
}

/** Name of an IDX file in a folder, plain or gzipped; null if neither exists. */
export function idxName(names: readonly string[], stem: string): string | null {
  return names.find((name) => name === stem || name === `${stem}.gz`) ?? null;
}

/** One IDX file. */
interface IdxFile {
  /** Lengths of the axes, images first. */
  readonly axes: readonly number[];
  readonly content: Uint8Array;
}

async function unpack(file: string, stored: Buffer, length: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(stored, { maxOutputLength: length });
  } catch (cause) {
    throw invalid(file, `a complete gzip file of ${length} bytes`, messageOf(cause));
  }
}

/** First bytes of a file, unpacked if necessary: at most a thousand times {@link HEAD_BYTES}. */
function headOf(stored: Buffer, isPacked: boolean): Buffer {
  const head = stored.subarray(0, HEAD_BYTES);
  return isPacked ? gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) : head;
}

/** Checks an IDX header and returns the lengths of its axes. */
function axesOf(file: string, head: Buffer, magic: number): number[] {
  const found = head.length >= 4 ? head.readUInt32BE(0) : -1;
  const count = magic & 0xff;
  if (found !== magic || head.length < 4 + 4 * count) {
    throw invalid(file, `an IDX file with magic number ${magic}`, `${found}`);
  }
  return Array.from({ length: count }, (_, axis) => head.readUInt32BE(4 + 4 * axis));
}

/** Reads an IDX file. Checks the header before unpacking more. */
async function readIdx(file: string, magic: number): Promise<IdxFile> {
  const stored = await readWholeFile(file, MAX_BYTES);
  const isPacked = file.endsWith('.gz');
  const axes = axesOf(file, headOf(stored, isPacked), magic);
  const start = 4 + 4 * axes.length;
  const length = start + axes.reduce((a, b) => a * b, 1);
  const shape = axes.join(' x ');
  if ((axes[0] ?? 0) > MAX_IMAGES || length > MAX_BYTES) {
    throw invalid(file, `at most ${MAX_IMAGES} images and ${MAX_BYTES} bytes`, shape);
  }
  const bytes = isPacked ? await unpack(file, stored, length) : stored;
  if (bytes.length !== length) {
    throw invalid(file, `${length} bytes for axes ${shape}`, `${bytes.length} bytes`);
  }
  return { axes, content: bytes.subarray(start) };
}

/** Centres a grey image on black and repeats it in three channels. */
function padToRgb(grey: Uint8Array, side: number, padded: number): Uint8Array {
  const pixels = new Uint8Array(padded * padded * 3);
  const border = Math.floor((padded - side) / 2);
  for (let at = 0; at < grey.length; at++) {
    const row = border + Math.floor(at / side);
    const column = border + (at % side);
    pixels.fill(grey[at] ?? 0, (row * padded + column) * 3, (row * padded + column + 1) * 3);
  }
  return pixels;
}

async function readPart(
  folder: string,
  part: Part,
  files: { readonly images: string; readonly labels: string },
): Promise<PixelPart> {
  const images = await readIdx(path.join(folder, files.images), IMAGES_MAGIC);
  const { axes, content: labels } = await readIdx(path.join(folder, files.labels), LABELS_MAGIC);
  const [count = 0, side = 0, width = 0] = images.axes;
  const [labelled = 0] = axes;
  const worst = labels.reduce((a, b) => Math.max(a, b), 0);
  const isSquare = side === width && side > 0 && side <= MAX_SIDE;
  if (!isSquare || labelled !== count || worst >= DIGITS.length) {
    throw invalid(
      path.join(folder, files.images),
      `square images of at most ${MAX_SIDE} pixels a side, one label each, labels below 10`,
      `${count} images of ${side} x ${width}, ${labelled} labels up to ${worst}`,
    );
  }
  const padded = Math.max(PADDED, side);
  const pixels = (index: number): Uint8Array => {
    const start = index * side * side;
    return padToRgb(images.content.subarray(start, start + side * side), side, padded);
  };
  return { part, file: files.images, labels, side: padded, pixels };
}

/**
 * Reads the four files of the MNIST family; the two of the test part may be missing.
 *
 * The files do not name their classes: a path with `fashion` in it has Fashion-MNIST's; any other set
 * counts as signs (digits, letters), which must not be mirrored.
 */
export async function openIdx(folder: string): Promise<ImageSource> {
  const names = (await readdir(folder)).sort();
  const found = PARTS.flatMap(({ part, prefix }) => {
    const images = idxName(names, `${prefix}-images-idx3-ubyte`);
    const labels = idxName(names, `${prefix}-labels-idx1-ubyte`);
    return images === null || labels === null ? [] : [{ part, images, labels }];
  });
  if (found[0]?.part !== 'train') {
    throw invalid(folder, 'train-images-idx3-ubyte and train-labels-idx1-ubyte', names.join(', '));
  }
  const isFashion = /fashion/iu.test(path.resolve(folder));
  const files = found.flatMap(({ images, labels }) => [images, labels]);
  return openPixelSource({
    path: folder,
    format: 'idx',
    signs: !isFashion,
    classes: isFashion ? FASHION_CLASSES : DIGITS,
    fingerprint: () => Promise.all(files.map((name) => fileStamp(folder, name))),
    parts: () => Promise.all(found.map((entry) => readPart(folder, entry.part, entry))),
  });
}
