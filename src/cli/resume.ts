import { join, resolve } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { exists } from '../foundation/files.ts';
import { silentLogger } from '../foundation/logger.ts';
import { newestCheckpoint } from '../run-folder/checkpoint/store.ts';
import type { TrialOptions } from '../trial/entry.ts';

/** A task without its display. */
export type TaskOptions = Omit<TrialOptions, 'progress'>;

/**
 * The options that a folder's unfinished search was started with. Logs no damaged checkpoint: the
 * resumed search does.
 *
 * @param config - Replaces the original config file.
 * @throws TrialError NOTHING_TO_RESUME, CHECKPOINT_INVALID, FILE_UNREADABLE
 */
export async function resumption(folder: string, config?: string): Promise<TaskOptions> {
  const search = await searchOf(folder, config, 'resume');
  return { ...search, output: folder, present: 'refuse-result' };
}

/** A task on the weights of a search. */
export interface Inheritance {
  readonly task: 'evaluate' | 'select' | 'rank';
  /** Output folder; a subfolder of the search's by default. */
  readonly output?: string;
  /** Replaces the search's config file. */
  readonly config?: string;
}

/**
 * The options of a task on the weights, config and images of a search.
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
      next: `Name the output folder of a search, or start one with "nni-cream search"`,
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
