import { resolve } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { requireSameMathematics } from '../run-folder/checkpoint/identity.ts';
import { newestCheckpoint } from '../run-folder/checkpoint/store.ts';
import { throwMetricsAway, throwStudyAway } from '../run-folder/output.ts';
import { restoreWeights } from '../training/snapshot.ts';
import { DATA_CONTENT, digestOf, SPACE_CONTENT } from './identity.ts';
import { spaceSha256 } from './space-files.ts';
import type { TaskHost } from './task.ts';
import type { Workspace } from './workspace.ts';

/** Origin of inherited weights. */
export interface Inheritance {
  /** Output folder of the search. */
  readonly folder: string;
  /** Training steps of the weights. */
  readonly step: number;
  /** Digest of their file, hexadecimal. */
  readonly sha256: string;
}

/**
 * Loads the newest weights of the config's `supernet` folder. Space, images and seed must be those of
 * its search: another split would measure on training images.
 *
 * @throws TrialError CONFIG_INVALID, NOTHING_TO_RESUME, CHECKPOINT_INVALID, CHECKPOINT_MISMATCH
 */
export async function inheritWeights(
  { request, config, space, images, supernet, output }: Workspace,
  { logger }: TaskHost,
): Promise<Inheritance> {
  const folder = requireKey(config.supernet, 'supernet', 'the output folder of a search');
  refuseSameFolder(folder, output);
  const checkpoint = await newestCheckpoint(folder, logger);
  if (checkpoint === null) {
    throw new TrialError('NOTHING_TO_RESUME', {
      where: folder,
      wanted: 'a folder with checkpoints, as supernet says',
      found: 'none',
      next: 'Name the output folder of a search that has been trained.',
    });
  }
  const { manifest, file, snapshot } = checkpoint;
  const current: Record<string, unknown> = {
    seed: config.seed,
    'data.maxImages': config.data.maxImages ?? null,
    [SPACE_CONTENT]: spaceSha256(space),
    [DATA_CONTENT]: digestOf(images.dataset),
  };
  const saved = Object.fromEntries(
    Object.keys(current).map((key) => [key, manifest.run.mathematics[key]]),
  );
  requireSameMathematics(saved, current, file);
  restoreWeights(snapshot, supernet);
  // What an earlier run in this folder told and found is not part of this one. Whatever refuses this one
  // has done so by now.
  if (request.present !== 'complete') await throwMetricsAway(output);
  await throwStudyAway(output);
  const { step } = manifest.state;
  logger.log('info', `weights of step ${step} of ${manifest.run.totalSteps}: ${file}`);
  return { folder, step, sha256: manifest.arrays.sha256 };
}

/** What a search reported into its folder must not be taken for this task's. */
function refuseSameFolder(folder: string, output: string): void {
  if (resolve(folder) !== resolve(output)) return;
  throw new TrialError('CONFIG_INVALID', {
    where: 'output',
    wanted: 'another folder than that of the weights',
    found: output,
    next: 'Name another output folder.',
  });
}

/** A key that only some tasks need. @throws TrialError CONFIG_INVALID where it is missing. */
export function requireKey(value: string | undefined, key: string, wanted: string): string {
  if (value !== undefined) return value;
  throw new TrialError('CONFIG_INVALID', {
    where: key,
    wanted,
    found: 'nothing',
    next: `Set ${key} in the trial config, or use the command that sets it.`,
  });
}
