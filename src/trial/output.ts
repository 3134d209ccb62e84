import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { ARCHITECTURE_FOLDER, RESULT_FILE } from './artifacts.ts';
import { unlessUnwritable } from './atomic.ts';
import { CHECKPOINT_FOLDER } from './checkpoint/store.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from './outbox.ts';
import { readResult } from './result.ts';

/** Name of the list of images that could not be used, within the output folder. */
export const BAD_SAMPLES_FILE = 'bad_samples.txt';

/**
 * What is done with what an output folder holds. An unfinished search goes on, unless all is to be
 * thrown away; a finished one is refused, or completed where NNI runs a trial again.
 */
export type PresentPolicy = 'refuse-result' | 'complete' | 'throw-away';

/** All that a search leaves in its folder, but for its log and what a new one writes at its start. */
const OWN_FILES = [
  RESULT_FILE,
  ARCHITECTURE_FOLDER,
  CHECKPOINT_FOLDER,
  METRICS_FILE,
  UNDELIVERED_FILE,
];

/**
 * Refuses a folder with a finished search. A result that is damaged is none: the search goes on
 * from its last checkpoint and writes it again.
 *
 * @throws TrialError RESULT_EXISTS
 */
export async function refuseResult(output: string): Promise<void> {
  const file = join(output, RESULT_FILE);
  const isWhole = await readResult(file).then(
    () => true,
    () => false,
  );
  if (!isWhole) return;
  throw new TrialError('RESULT_EXISTS', {
    where: file,
    wanted: 'a folder without a finished search',
    found: 'its result',
    next: 'Name another folder, or throw away what this one holds: nni-cream search --overwrite.',
  });
}

/** Throws away what a search left in a folder. @throws TrialError FILE_UNWRITABLE */
export async function throwAway(output: string): Promise<void> {
  await unlessUnwritable(output, async () => {
    for (const name of OWN_FILES) await rm(join(output, name), { recursive: true, force: true });
  });
}
