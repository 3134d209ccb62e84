import { TrialError } from '../foundation/errors.ts';
import { silentLogger } from '../foundation/logger.ts';
import { newestCheckpoint } from '../trial/checkpoint/store.ts';
import type { TrialOptions } from '../trial/main.ts';

/**
 * What the unfinished search of a folder was started with. A damaged checkpoint is not told of: the
 * search that goes on does so.
 *
 * @throws TrialError NOTHING_TO_RESUME, CHECKPOINT_INVALID
 */
export async function resumption(folder: string): Promise<Omit<TrialOptions, 'progress'>> {
  const checkpoint = await newestCheckpoint(folder, silentLogger);
  if (checkpoint === null) {
    throw new TrialError('NOTHING_TO_RESUME', {
      where: folder,
      wanted: 'a folder with checkpoints',
      found: 'none',
      next: `Name the output folder of an unfinished search, or begin one with "nni-cream search"`,
    });
  }
  const { configFile, parameters, engine } = checkpoint.manifest.run;
  return { configFile, parameters, engine, output: folder, present: 'refuse-result' };
}
