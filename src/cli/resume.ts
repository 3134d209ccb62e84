import { join, resolve } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { exists } from '../foundation/files.ts';
import { silentLogger } from '../foundation/logger.ts';
import { newestCheckpoint } from '../run-folder/checkpoint/store.ts';
import type { TrialOptions } from '../trial/entry.ts';

type TaskOptions = Omit<TrialOptions, 'progress'>;

/**
 * What the unfinished search of a folder was started with. A damaged checkpoint is not told of: the
 * search that goes on does so.
 *
 * @param config - In place of the config file that it was started with.
 * @throws TrialError NOTHING_TO_RESUME, CHECKPOINT_INVALID, FILE_UNREADABLE
 */
export async function resumption(folder: string, config?: string): Promise<TaskOptions> {
  const search = await searchOf(folder, config, 'resume');
  return { ...search, output: folder, present: 'refuse-result' };
}

/** What a task does with the weights of a folder. */
export interface Inheritance {
  readonly task: 'evaluate' | 'rank';
  /** Folder of its results; one within the search's where nothing is given. */
  readonly output?: string;
  /** In place of the config file that the search was started with. */
  readonly config?: string;
}

/**
 * A task with the weights, the config and the images of a folder's search.
 *
 * @throws TrialError NOTHING_TO_RESUME, CHECKPOINT_INVALID, FILE_UNREADABLE
 */
export async function inheritance(
  folder: string,
  { task, output = join(folder, task), config }: Inheritance,
): Promise<TaskOptions> {
  const { overrides, ...search } = await searchOf(folder, config, task);
  const changed = { ...overrides, task, supernet: resolve(folder) };
  return { ...search, overrides: changed, output, present: 'refuse-result' };
}

async function searchOf(
  folder: string,
  config: string | undefined,
  command: string,
): Promise<Pick<TaskOptions, 'configFile' | 'parameters' | 'overrides'>> {
  const checkpoint = await newestCheckpoint(folder, silentLogger);
  if (checkpoint === null) {
    throw new TrialError('NOTHING_TO_RESUME', {
      where: folder,
      wanted: 'a folder with checkpoints',
      found: 'none',
      next: `Name the output folder of a search, or begin one with "nni-cream search"`,
    });
  }
  const { parameters, engine, ...run } = checkpoint.manifest.run;
  const configFile = config ?? run.configFile;
  if (!(await exists(configFile))) {
    throw new TrialError('FILE_UNREADABLE', {
      where: configFile,
      wanted: 'the config that the search was started with',
      found: 'no such file',
      next: `Name it: nni-cream ${command} ${folder} --config FILE`,
    });
  }
  return { configFile, parameters, overrides: { engine } };
}
