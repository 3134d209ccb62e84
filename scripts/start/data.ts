import { join, resolve } from 'node:path';
import { fetchData } from '../../src/cli/data.ts';
import { DATASET_NAMES } from '../../src/data/obtain/names.ts';
import { surveyImages } from '../../src/data/survey.ts';
import type { Logger } from '../../src/foundation/logger.ts';

/**
 * Makes the wanted data available and returns its path.
 *
 * @param wanted a path, a known name, or null for Fashion-MNIST where it can be had, else shapes.
 * @throws TrialError DOWNLOAD_FAILED when a named data set cannot be fetched.
 */
export async function obtainData(
  root: string,
  wanted: string | null,
  logger: Logger,
): Promise<string> {
  const name = DATASET_NAMES.find((known) => known === wanted) ?? null;
  return wanted === null || name !== null
    ? fetchData({ name, into: join(root, '.cache/data') }, logger)
    : resolve(wanted);
}

/** Number of classes of a data set. @throws TrialError DATA_NOT_FOUND or DATA_INVALID. */
export async function countClasses(path: string): Promise<number> {
  return (await surveyImages(path, 'auto')).classes.length;
}
