import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { exists } from '../foundation/files.ts';
import { unlessUnwritable } from '../foundation/atomic-file.ts';
import { ARCHITECTURE_FOLDER, RESULT_FILE } from './artifacts.ts';
import { CHECKPOINT_FOLDER } from './checkpoint/store.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from './history.ts';
import { readResult } from './result.ts';
import { SCORES_FILE } from './scores.ts';

/** Name of the list of images that could not be used, within the output folder. */
export const BAD_SAMPLES_FILE = 'bad_samples.txt';

/** Name of the result of an evaluation, within the output folder. */
export const EVALUATION_FILE = 'evaluation.json';

/** Names of what a rank study leaves in its output folder; the report is written last. */
export const RANK_FILES = { csv: 'rank.csv', plot: 'rank.svg', report: 'rank.json' } as const;

/**
 * What is done with what an output folder holds. An unfinished search goes on, unless all is to be
 * thrown away; a finished one is refused, or completed where NNI runs a trial again.
 */
export type PresentPolicy = 'refuse-result' | 'complete' | 'throw-away';

/** Metrics of a run that does not go on: a new one's would be taken for them. */
const METRICS_FILES = [METRICS_FILE, UNDELIVERED_FILE];

/** The same, and scores of weights that are no more. */
const RECORDS = [...METRICS_FILES, SCORES_FILE];

/**
 * All that a search leaves in its folder, but for its log and what a new one writes at its start.
 * After a kill in the middle of their removal the folder is one of a finished or unfinished search.
 */
const OWN_FILES = [...RECORDS, RESULT_FILE, ARCHITECTURE_FOLDER, CHECKPOINT_FOLDER];

/**
 * Refuses a folder with a finished search. A result that is damaged is none: the search goes on
 * from its last checkpoint and writes it again.
 *
 * @throws TrialError RESULT_EXISTS
 */
export async function refuseResult(output: string): Promise<void> {
  const file = join(output, RESULT_FILE);
  if (!(await exists(file))) return;
  const isDamaged = await readResult(file).then(
    () => false,
    (thrown: unknown) => thrown instanceof TrialError && thrown.code === 'ARCHITECTURE_INVALID',
  );
  if (isDamaged) return;
  throw new TrialError('RESULT_EXISTS', {
    where: file,
    wanted: 'a folder without a finished search',
    found: 'its result',
    next: 'Name another folder, or throw away what this one holds: nni-cream search --overwrite.',
  });
}

/** Throws away what a search left in a folder. @throws TrialError FILE_UNWRITABLE */
export function throwAway(output: string): Promise<void> {
  return removeAll(output, OWN_FILES);
}

/** Throws away the records of a search that does not go on. @throws TrialError FILE_UNWRITABLE */
export function throwRecordsAway(output: string): Promise<void> {
  return removeAll(output, RECORDS);
}

/** Throws away the scores of a search that does not go on. @throws TrialError FILE_UNWRITABLE */
export function throwScoresAway(output: string): Promise<void> {
  return removeAll(output, [SCORES_FILE]);
}

/** Throws away the metrics of a run that does not go on. @throws TrialError FILE_UNWRITABLE */
export function throwMetricsAway(output: string): Promise<void> {
  return removeAll(output, METRICS_FILES);
}

async function removeAll(output: string, names: readonly string[]): Promise<void> {
  await unlessUnwritable(output, async () => {
    for (const name of names) await rm(join(output, name), { recursive: true, force: true });
  });
}
