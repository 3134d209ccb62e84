import { TrialError } from '../foundation/errors.ts';
import { exists } from '../foundation/files.ts';
import { silentLogger } from '../foundation/logger.ts';
import { newestCheckpoint } from '../run-folder/checkpoint/store.ts';
import type { TrialOptions } from '../trial/entry.ts';

/**
 * What the unfinished search of a folder was started with. A damaged checkpoint is not told of: the
 * search that goes on does so.
 *
 * @param config - In place of the config file that it was started with.
 * @throws TrialError NOTHING_TO_RESUME, CHECKPOINT_INVALID, FILE_UNREADABLE
 */
export async function resumption(
  folder: string,
  config?: string,
): Promise<Omit<TrialOptions, 'progress'>> {
  const checkpoint = await newestCheckpoint(folder, silentLogger);
  if (checkpoint === null) {
    throw new TrialError('NOTHING_TO_RESUME', {
      where: folder,
      wanted: 'a folder with checkpoints',
      found: 'none',
      next: `Name the output folder of an unfinished search, or begin one with "nni-cream search"`,
    });
  }
  const { parameters, engine, ...run } = checkpoint.manifest.run;
  const configFile = config ?? run.configFile;
  if (!(await exists(configFile))) {
    throw new TrialError('FILE_UNREADABLE', {
      where: configFile,
      wanted: 'the config that the search was started with',
      found: 'no such file',
      next: `Name it: nni-cream resume ${folder} --config FILE`,
    });
  }
  return {
    configFile,
    parameters,
    overrides: { engine },
    output: folder,
    present: 'refuse-result',
  };
}
