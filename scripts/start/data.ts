import { join, resolve } from 'node:path';
import { runCommand } from '../../src/data/obtain/debian.ts';
import {
  defaultData,
  fetchDataset,
  generateShapes,
  REMOTE_DATASETS,
} from '../../src/data/obtain/fetch.ts';
import { locateSource } from '../../src/data/formats/locate.ts';
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
  const options = { folder: join(root, '.cache/data'), fetch, run: runCommand, logger };
  if (wanted === null) return defaultData(options);
  if (wanted === 'shapes') return generateShapes(options);
  const remote = REMOTE_DATASETS.find((name) => name === wanted);
  return remote ? fetchDataset(remote, options) : resolve(wanted);
}

/** Number of classes of a data set. @throws TrialError DATA_NOT_FOUND or DATA_INVALID. */
export async function countClasses(path: string): Promise<number> {
  const source = await locateSource(path, 'auto');
  return (await source.list()).classes.length;
}
