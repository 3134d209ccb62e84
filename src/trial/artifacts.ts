import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { SearchResult } from '../generated/result.ts';
import { architectureFiles } from '../searchspace/architecture.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';

/** Name of the result file within the output folder. */
export const RESULT_FILE = 'result.json';

/** Name of the folder of architecture files within the output folder. */
export const ARCHITECTURE_FOLDER = 'nas';

/**
 * Makes the output folder and tries to write to it, before anything expensive is begun.
 *
 * @throws TrialError FILE_UNWRITABLE
 */
export async function prepareOutput(folder: string): Promise<void> {
  await unlessUnwritable(folder, async () => {
    await mkdir(join(folder, ARCHITECTURE_FOLDER), { recursive: true });
    const trace = join(folder, `${RESULT_FILE}.partial`);
    await writeFile(trace, '');
    await rm(trace);
  });
}

/**
 * Writes the architecture files, then `result.json`: where that one is, the others are.
 *
 * @throws TrialError FILE_UNWRITABLE
 */
export async function writeArtifacts(
  folder: string,
  result: SearchResult,
  { space, path }: { space: SearchSpace; path: Path },
): Promise<void> {
  await unlessUnwritable(folder, async () => {
    for (const { name, text } of architectureFiles(space, path)) {
      await writeAtomically(join(folder, ARCHITECTURE_FOLDER, name), text);
    }
    await writeAtomically(join(folder, RESULT_FILE), `${JSON.stringify(result, null, 2)}\n`);
  });
}

/** A reader finds the old text or the new one, even after a power cut. */
async function writeAtomically(file: string, text: string): Promise<void> {
  const partial = `${file}.partial`;
  const handle = await open(partial, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}

async function unlessUnwritable(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new TrialError(
      'FILE_UNWRITABLE',
      {
        where: folder,
        wanted: 'a folder that results can be written to',
        found: messageOf(cause),
        next: 'Free space on the disk, or name another folder.',
      },
      cause,
    );
  }
}
