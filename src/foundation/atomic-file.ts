import { randomUUID } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TrialError } from './errors.ts';
import { removeLeftovers, syncFolder } from './files.ts';

/** End of a name while its file is being written; a leftover of a killed process is worthless. */
export const PARTIAL = '.partial';

/** What {@link privatePartial} gives. */
const PRIVATE_PARTIAL = /\.[\da-f]{8}-[\da-f-]{27}\.partial$/u;

/** Age from which on a private partial file is a leftover, milliseconds: nobody writes so slowly. */
const LEFT_OVER_MS = 3_600_000;

/**
 * A name beside a file or folder for what only this call writes, since several processes may make the
 * same file at once. It is random, and no result depends on it.
 */
export function privatePartial(target: string): string {
  return `${target}.${randomUUID()}${PARTIAL}`;
}

/**
 * Writes a file so that a reader finds the old content or the new one, whole, even after a power
 * cut. A write that fails leaves the old file, and nothing beside it. One writer at a time.
 *
 * @param content - Text, or bytes in pieces that are written one after the other.
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
 * Makes a file that several processes may make at once: each writes its own, and the last one that is
 * whole stays. Removes what killed processes have left in the folder.
 *
 * @param write - Fills the file of the name that it is given, which is there and empty; what it
 *   throws is passed on.
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
 * Lends work a private name beside a file or folder; what it leaves under that name is removed.
 *
 * @returns What the work gives.
 */
export function withPartial<T>(target: string, work: (partial: string) => Promise<T>): Promise<T> {
  return removing(privatePartial(target), work);
}

async function removing<T>(partial: string, work: (partial: string) => Promise<T>): Promise<T> {
  try {
    return await work(partial);
  } finally {
    // What went wrong before is the better reason.
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
  }
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
