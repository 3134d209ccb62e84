import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../foundation/files.ts';
import type { SearchResult } from '../generated/result.ts';
import { architectureFiles } from '../searchspace/architecture.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { PARTIAL, unlessUnwritable, writeAtomically } from '../foundation/atomic-file.ts';

/** Name of the result file within the output folder. */
export const RESULT_FILE = 'result.json';

/** Name of the folder of architecture files within the output folder. */
export const ARCHITECTURE_FOLDER = 'nas';

/**
 * Creates the output folder and its subfolders, and tries to write there before any expensive work.
 *
 * @throws TrialError FILE_UNWRITABLE
 */
export async function prepareOutput(folder: string, subfolders: readonly string[]): Promise<void> {
  const places = [folder, ...subfolders.map((name) => join(folder, name))];
  await unlessUnwritable(folder, async () => {
    for (const place of places) {
      await makeFolder(place);
      const trace = join(place, `${RESULT_FILE}${PARTIAL}`);
      await writeFile(trace, '');
      await rm(trace);
    }
  });
}

/**
 * Writes the architecture files, then `result.json`, whose presence proves that of the others.
 *
 * @throws TrialError FILE_UNWRITABLE
 */
export async function writeArtifacts(
  folder: string,
  result: SearchResult,
  { space, path }: { space: SearchSpace; path: Path },
): Promise<void> {
  await writeArchitectures(folder, { space, path });
  await writeAtomically(join(folder, RESULT_FILE), `${JSON.stringify(result, null, 2)}\n`);
}

/** Writes the architecture files of a path. @throws TrialError FILE_UNWRITABLE */
export async function writeArchitectures(
  folder: string,
  { space, path }: { space: SearchSpace; path: Path },
): Promise<void> {
  const architectures = join(folder, ARCHITECTURE_FOLDER);
  await unlessUnwritable(folder, () => makeFolder(architectures));
  for (const { name, text } of architectureFiles(space, path)) {
    await writeAtomically(join(architectures, name), text);
  }
}
