/** What files need that outlive a power cut, and what those need that a killed process leaves. */

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
 * Makes a folder and those above it where they are missing; they are there after a power cut too.
 *
 * @throws the system's refusal. Node's own recursive mkdir tries for ever where a system refuses a
 *   folder by saying that the one above is missing, as `/proc` does.
 */
export async function makeFolder(path: string): Promise<void> {
  const made = await mkdirs(resolve(path));
  for (const folder of made.reverse()) await syncFolder(dirname(folder));
}

/** Gives the folders that were made, topmost first. */
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

/** Gives the folder, or nothing where another process was faster. */
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

/** Waits until the names in a folder are on the disk: a new or renamed file is there only then. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems know no such request: then there is nothing to wait for.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Removes from a folder what killed processes have left: who writes there may run on another
 * machine, so that age alone tells. What may not be removed stays; it never rejects.
 *
 * @param fresh - A file just written there: its time is the file system's own now.
 * @param isLeftover - By its name, whoever wrote it.
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
