import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrialError } from './errors.ts';
import { syncFolder } from './files.ts';

/** End of a name while its file is being written; a leftover of a killed process is worthless. */
export const PARTIAL = '.partial';

/**
 * Writes a file so that a reader finds the old content or the new one, whole, even after a power
 * cut. A write that fails leaves the old file, and nothing beside it.
 *
 * @param content - Text, or bytes in pieces that are written one after the other.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function writeAtomically(
  file: string,
  content: string | readonly Uint8Array[],
): Promise<void> {
  await unlessUnwritable(file, async () => {
    const partial = `${file}${PARTIAL}`;
    try {
      await writeThrough(partial, content);
      await rename(partial, file);
      await syncFolder(dirname(file));
    } catch (cause) {
      await rm(partial, { force: true });
      throw cause;
    }
  });
}

/**
 * Runs work on files whose failure means that they cannot be written.
 *
 * @param where - The file or folder.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function unlessUnwritable<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // Anything but a refusal of the system is no matter of the disk.
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new TrialError(
      'FILE_UNWRITABLE',
      {
        where,
        wanted: 'a place that can be written to',
        found: cause.message,
        next: 'Free space on the disk or allow writing there, or name another output folder',
      },
      cause,
    );
  }
}

async function writeThrough(file: string, content: string | readonly Uint8Array[]): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await writeFile(handle, content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
