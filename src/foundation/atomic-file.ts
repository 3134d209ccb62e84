import { randomUUID } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrialError } from './errors.ts';
import { removeLeftovers, syncFolder } from './files.ts';

/** Suffix of an unfinished file; worthless if its process was killed. */
export const PARTIAL = '.partial';

/** Names that {@link privatePartial} returns. */
const PRIVATE_PARTIAL = /\.[\da-f]{8}-[\da-f-]{27}\.partial$/u;

/** Age at which a private partial file is a leftover, milliseconds: no write takes so long. */
const LEFT_OVER_MS = 3_600_000;

/**
 * A unique name beside a file or folder, since several processes may write the same file at once. It is
 * random, and no result depends on it.
 */
export function privatePartial(target: string): string {
  return `${target}.${randomUUID()}${PARTIAL}`;
}

/**
 * Writes a file atomically: a reader finds the whole old or new content, even after a power cut. A failed
 * write leaves only the old file. One writer at a time.
 *
 * @param content - Text, or consecutive pieces of bytes.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function writeAtomically(
  file: string,
  content: string | readonly Uint8Array[],
): Promise<void> {
  await unlessUnwritable(file, () =>
    removing(`${file}${PARTIAL}`, async (partial) => {
      await writeThrough(partial, content);
      await rename(partial, file);
      await syncFolder(dirname(file));
    }),
  );
}

/**
 * Writes a file that several processes may write at once: the last whole one stays. Removes leftovers
 * of killed processes from the folder.
 *
 * @param write - Fills the existing empty file of the given name; its errors are passed on.
 */
export async function replaceFile(
  file: string,
  write: (partial: string) => Promise<void>,
): Promise<void> {
  await withPartial(file, async (partial) => {
    await writeFile(partial, '');
    // Before the content, which may need the room.
    await removeLeftovers(partial, (name) => PRIVATE_PARTIAL.test(name), LEFT_OVER_MS);
    await write(partial);
    await rename(partial, file);
    await syncFolder(dirname(file));
  });
}

/**
 * Runs work with a private name beside a file or folder, and removes what is left under that name.
 *
 * @returns The work's result.
 */
export function withPartial<T>(target: string, work: (partial: string) => Promise<T>): Promise<T> {
  return removing(privatePartial(target), work);
}

async function removing<T>(partial: string, work: (partial: string) => Promise<T>): Promise<T> {
  try {
    return await work(partial);
  } finally {
    // An earlier error is the better reason.
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Runs file operations and turns the system's errors into FILE_UNWRITABLE.
 *
 * @param where - The file or folder.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function unlessUnwritable<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // Only the system's errors concern the disk.
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
