/**
 * Opens a data set in a process whose memory peak is its own: `open-data.ts OPTIONS`, in JSON. It
 * prints the images or the error that came of it, and by how much the peak has grown.
 */
import { openDataset, type DatasetOptions } from '../../src/data/store/dataset.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import { silentLogger } from '../../src/foundation/logger.ts';

/** What is printed, in JSON. */
export interface Opened {
  readonly count: number;
  readonly skipped: number;
  /** Null where nothing went wrong. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly grownMiB: number;
}

const options = JSON.parse(process.argv[2]!) as DatasetOptions;
const before = process.resourceUsage().maxRSS;

async function open(): Promise<Omit<Opened, 'grownMiB'>> {
  try {
    const { train, skipped } = await openDataset({ ...options, logger: silentLogger });
    return { count: train.count, skipped: skipped.length, error: null };
  } catch (error) {
    if (!(error instanceof TrialError)) throw error;
    return { count: 0, skipped: 0, error: { code: error.code, message: error.message } };
  }
}

const outcome = await open();
const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
console.log(JSON.stringify({ ...outcome, grownMiB } satisfies Opened));
