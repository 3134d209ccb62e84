import { readFile, stat } from 'node:fs/promises';

/** Most bytes of one image file, of one file of an archive and of one CIFAR-10 batch: 64 MiB. */
export const MAX_IMAGE_BYTES: number = 2 ** 26;

/** @throws Error with the reason when a file is too large to be read into memory. */
export function checkFileSize(size: number, limit: number): void {
  if (size > limit) {
    throw new Error(`the file has ${size} bytes, more than the ${limit} that are read`);
  }
}

/**
 * Reads a whole file of a limited size. Opens no pipes and devices: reading them may never end.
 *
 * @throws Error with the reason when it is no regular file, is too large or cannot be read.
 */
export async function readWholeFile(file: string, limit: number): Promise<Buffer> {
  const status = await stat(file);
  if (!status.isFile()) {
    throw new Error(status.isDirectory() ? 'it is a folder' : 'it is not a regular file');
  }
  checkFileSize(status.size, limit);
  return readFile(file);
}
