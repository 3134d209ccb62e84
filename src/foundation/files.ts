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

/** Makes a folder and those above it where they are missing; they are there after a power cut too. */
export async function makeFolder(path: string): Promise<void> {
  const folder = resolve(path);
  const first = await mkdirs(folder);
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}

/** Gives the topmost folder that was made; undefined where there was nothing to make. */
async function mkdirs(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // On a read-only disk the recursive one says ENOENT; the plain one gives the reason.
    await mkdir(folder);
    return folder;
  }
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
