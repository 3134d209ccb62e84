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
import { EVALUATION_FILE, RANK_FILES } from './study-result.ts';

/** Name of the list of images that could not be used, within the output folder. */
export const BAD_SAMPLES_FILE = 'bad_samples.txt';

/**
 * How to treat existing content of an output folder: resume an unfinished search and refuse a finished
 * one; complete a finished one, if NNI runs a trial again; or throw everything away.
 */
export type PresentPolicy = 'refuse-result' | 'complete' | 'throw-away';

/** Metrics files: a new run must not mistake old ones for its own. */
const METRICS_FILES = [METRICS_FILE, UNDELIVERED_FILE];

/** Metrics, and scores of discarded weights. */
const RECORDS = [...METRICS_FILES, SCORES_FILE];

/**
 * All files of a search but its log and those that a new search rewrites at its start. In this order a
 * kill during removal leaves the folder of a finished or unfinished search.
 */
const OWN_FILES = [...RECORDS, RESULT_FILE, ARCHITECTURE_FOLDER, CHECKPOINT_FOLDER];

/**
 * Refuses a folder with a finished search. A damaged result does not count: the search resumes from its
 * last checkpoint and writes it again.
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

/** Removes the files of a search. @throws TrialError FILE_UNWRITABLE */
export function throwAway(output: string): Promise<void> {
  return removeAll(output, OWN_FILES);
}

/** Removes metrics and scores of an abandoned search. @throws TrialError FILE_UNWRITABLE */
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

/** Throws away what an earlier evaluation or rank study found. @throws TrialError FILE_UNWRITABLE */
export function throwStudyAway(output: string): Promise<void> {
  return removeAll(output, [EVALUATION_FILE, RANK_FILES.report]);
}

async function removeAll(output: string, names: readonly string[]): Promise<void> {
  await unlessUnwritable(output, async () => {
    for (const name of names) await rm(join(output, name), { recursive: true, force: true });
  });
}
