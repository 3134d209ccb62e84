import { resolve } from 'node:path';
import { runCommand } from '../data/obtain/debian.ts';
import { defaultData, fetchDataset, type FetchOptions } from '../data/obtain/fetch.ts';
import type { DatasetName } from '../data/obtain/names.ts';
import type { Logger } from '../foundation/logger.ts';

/** A data set and its target folder. */
export interface DataRequest {
  /** Null: Fashion-MNIST if available, else shapes. */
  readonly name: DatasetName | null;
  /** Folder of all fetched data, absolute or relative to the working directory. */
  readonly into: string;
}

/**
 * Fetches or draws a data set once, and returns its absolute path.
 *
 * @throws TrialError DOWNLOAD_FAILED when a named data set cannot be fetched, FILE_UNWRITABLE when it
 *   cannot be stored.
 */
export function fetchData({ name, into }: DataRequest, logger: Logger): Promise<string> {
  const options: FetchOptions = { folder: resolve(into), fetch, run: runCommand, logger };
  return name === null ? defaultData(options) : fetchDataset(name, options);
}
