import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { exists } from '../foundation/files.ts';
import { ARCHITECTURE_FOLDER, RESULT_FILE } from './artifacts.ts';
import { unlessUnwritable } from './atomic.ts';
import { CHECKPOINT_FOLDER } from './checkpoint/store.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from './outbox.ts';

/** Name of the list of images that could not be used, within the output folder. */
export const BAD_SAMPLES_FILE = 'bad_samples.txt';

/**
 * What is done with what an output folder holds. An unfinished search goes on, unless all is to be
 * thrown away; a finished one is refused, or completed where NNI runs a trial again.
 */
export type PresentPolicy = 'refuse-result' | 'complete' | 'throw-away';

/** All that a search leaves in its folder, but for its log. */
const OWN_FILES = [
  RESULT_FILE,
  ARCHITECTURE_FOLDER,
  CHECKPOINT_FOLDER,
  METRICS_FILE,
  UNDELIVERED_FILE,
  BAD_SAMPLES_FILE,
];

/**
 * Makes a folder ready for a search that goes on or begins in it.
 *
 * @throws TrialError RESULT_EXISTS, FILE_UNWRITABLE
 */
export async function treatPresent(output: string, policy: PresentPolicy): Promise<void> {
  const result = join(output, RESULT_FILE);
  if (policy === 'throw-away') {
    await unlessUnwritable(output, async () => {
      for (const name of OWN_FILES) await rm(join(output, name), { recursive: true, force: true });
    });
  } else if (policy === 'refuse-result' && (await exists(result))) {
    throw new TrialError('RESULT_EXISTS', {
      where: result,
      wanted: 'a folder without a finished search',
      found: 'its result',
      next: 'Name another folder, or throw away what this one holds: nni-cream search --overwrite.',
    });
  }
}
