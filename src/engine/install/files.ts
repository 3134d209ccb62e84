import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { InstalledFile } from '../library.ts';

/** SHA-256 of a file, hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Sizes and hashes of files, keyed by their paths within the folder. */
export async function describeFiles(
  folder: string,
  names: readonly string[],
): Promise<Record<string, InstalledFile>> {
  const files: Record<string, InstalledFile> = {};
  for (const name of names) {
    const path = join(folder, name);
    files[name] = { bytes: statSync(path).size, sha256: await hashFile(path) };
  }
  return files;
}
