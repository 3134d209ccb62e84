import { resolve } from 'node:path';
import {
  defaultData,
  fetchDataset,
  generateShapes,
  REMOTE_DATASETS,
  type FetchOptions,
} from './fetch.ts';

/** Generated images, which need no network. */
const SHAPES = 'shapes';

/**
 * Makes the wanted data available and returns its absolute path.
 *
 * @param wanted - A path, a known name, or null for Fashion-MNIST where it can be had, else shapes.
 * @throws TrialError DOWNLOAD_FAILED when a named data set cannot be fetched.
 */
export async function obtainData(wanted: string | null, options: FetchOptions): Promise<string> {
  if (wanted === null) return defaultData(options);
  if (wanted === SHAPES) return generateShapes(options);
  const remote = REMOTE_DATASETS.find((name) => name === wanted);
  return remote === undefined ? resolve(wanted) : fetchDataset(remote, options);
}
