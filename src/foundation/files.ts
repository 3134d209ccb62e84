/** Durable folders and names, and removal of leftovers. */

import { access, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Whether a path exists, as far as this process may look. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Creates a folder and its missing parents, durably even under a power cut.
 *
 * @throws the system's error. Node's own recursive mkdir loops for ever if the system reports a missing
 *   parent that exists, as in `/proc`.
 */
export async function makeFolder(path: string): Promise<void> {
  const made = await mkdirs(resolve(path));
  for (const folder of made.reverse()) await syncFolder(dirname(folder));
}

/** Returns the created folders, topmost first. */
async function mkdirs(folder: string): Promise<string[]> {
  if (await isFolder(folder)) return [];
  try {
    return await mkdirOne(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder)
      throw error;
  }
  const above = await mkdirs(dirname(folder));
  return [...above, ...(await mkdirOne(folder))];
}

/** Returns the folder, or nothing if another process was faster. */
async function mkdirOne(folder: string): Promise<string[]> {
  try {
    await mkdir(folder);
    return [folder];
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST' && (await isFolder(folder));
    if (isThere) return [];
    throw error;
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** Flushes the names in a folder to the disk: only then is a new or renamed file durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems do not support this: then there is nothing to wait for.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Removes leftovers of killed processes from a folder. Their processes may run on another machine, so
 * only the age tells. Skips what it may not remove; never rejects.
 *
 * @param fresh - A file just written there: its time is the file system's current time.
 * @param isLeftover - Recognises a leftover by its name.
 */
export async function removeLeftovers(
  fresh: string,
  isLeftover: (name: string) => boolean,
  ageMs: number,
): Promise<void> {
  const folder = dirname(fresh);
  const names = await readdir(folder).catch(() => []);
  const removals = names.filter(isLeftover).map(async (name) => {
    const file = join(folder, name);
    const [now, then] = await Promise.all([stat(fresh), stat(file)]);
    if (now.mtimeMs - then.mtimeMs > ageMs) await rm(file);
  });
  await Promise.allSettled(removals);
}
