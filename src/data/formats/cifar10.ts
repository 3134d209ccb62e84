import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { TrialError } from '../../foundation/errors.ts';
import { walkArchive } from './archive-folder.ts';
import { fileStamp } from './file-stamp.ts';
import { openPixelSource, type PixelPart } from './pixel-source.ts';
import { MAX_IMAGE_BYTES, readWholeFile } from './read-file.ts';
import type { ImageSource, Part } from './source.ts';

/** @see https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version" */
const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;
const CLASSES = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

interface BinaryFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Part of a file of the binary version, or null for any other file. */
export function cifarPart(name: string): Part | null {
  if (/(?:^|\/)data_batch_\d+\.bin$/u.test(name)) {
    return 'train';
  }
  return /(?:^|\/)test_batch\.bin$/u.test(name) ? 'test' : null;
}

/** Turns the three planes of one record, red first, into `uint8 [32, 32, 3]`. */
function interleave(record: Uint8Array): Uint8Array {
  const pixels = new Uint8Array(3 * PLANE);
  for (let at = 0; at < PLANE; at++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[at * 3 + channel] = record[1 + channel * PLANE + at] ?? 0;
    }
  }
  return pixels;
}

function parseBatch({ name, bytes }: BinaryFile): PixelPart {
  const count = Math.floor(bytes.length / RECORD);
  const labels = Uint8Array.from({ length: count }, (_, index) => bytes[index * RECORD] ?? 0);
  const worst = labels.reduce((a, b) => Math.max(a, b), 0);
  if (count === 0 || bytes.length % RECORD !== 0 || worst >= CLASSES.length) {
    throw new TrialError('DATA_INVALID', {
      where: name,
      wanted: `records of ${RECORD} bytes with labels below ${CLASSES.length}`,
      found: `${bytes.length} bytes, largest label ${worst}`,
      next: 'Fetch the binary version of CIFAR-10 again.',
    });
  }
  const pixels = (index: number): Uint8Array =>
    interleave(bytes.subarray(index * RECORD, (index + 1) * RECORD));
  return {
    part: cifarPart(name) ?? 'train',
    file: path.basename(name),
    labels,
    side: SIDE,
    pixels,
  };
}

function parseBatches(where: string, files: readonly BinaryFile[]): PixelPart[] {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (!sorted.some(({ name }) => cifarPart(name) === 'train')) {
    throw new TrialError('DATA_INVALID', {
      where,
      wanted: 'data_batch_1.bin to data_batch_5.bin',
      found: sorted.map(({ name }) => name).join(', ') || 'none of them',
      next: 'Fetch the binary version of CIFAR-10 again.',
    });
  }
  return sorted.map(parseBatch);
}

/** Reads `data_batch_*.bin`, and `test_batch.bin` if it is there, from a folder. */
export async function openCifarFolder(folder: string): Promise<ImageSource> {
  const names = (await readdir(folder)).filter((name) => cifarPart(name) !== null).sort();
  return openPixelSource({
    path: folder,
    format: 'cifar10',
    signs: false,
    classes: CLASSES,
    fingerprint: () => Promise.all(names.map((name) => fileStamp(folder, name))),
    parts: async () => {
      const read = async (name: string): Promise<BinaryFile> => ({
        name,
        bytes: await readWholeFile(path.join(folder, name), MAX_IMAGE_BYTES),
      });
      return parseBatches(folder, await Promise.all(names.map(read)));
    },
  });
}

/** Reads the same files out of the official archive, `cifar-10-binary.tar.gz`. */
export function openCifarArchive(archive: string): ImageSource {
  return openPixelSource({
    path: archive,
    format: 'cifar10',
    signs: false,
    classes: CLASSES,
    fingerprint: async () => [await fileStamp(path.dirname(archive), path.basename(archive))],
    parts: async () => {
      const files: BinaryFile[] = [];
      for await (const file of walkArchive(archive)) {
        if (!file.isFolder && cifarPart(file.name) !== null) {
          files.push({ name: file.name, bytes: await file.bytes() });
        }
      }
      return parseBatches(archive, files);
    },
  });
}
