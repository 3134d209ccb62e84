import { TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { CheckpointRun } from '../../generated/checkpoint.ts';
import { differingKeys, requireSameMathematics } from './identity.ts';
import { newestCheckpoint, tidy, type Checkpoint } from './store.ts';

/** Where a search may resume from. */
export interface StartOptions {
  /** The output folder; null to ignore its content. */
  readonly output: string | null;
  /** Another search's output folder, used if the own one has no checkpoint. */
  readonly resumeFrom: string | undefined;
  readonly run: CheckpointRun;
  readonly logger: Logger;
}

/** A checkpoint to resume from. */
export interface StartingPoint {
  readonly checkpoint: Checkpoint;
  /** Whether it is in the output folder itself. */
  readonly isOwn: boolean;
}

/**
 * The checkpoint that a search resumes from; null for a new search.
 *
 * @throws TrialError CHECKPOINT_INVALID, CHECKPOINT_MISMATCH, or NOTHING_TO_RESUME when `resumeFrom`
 *   holds none.
 */
export async function findStart(options: StartOptions): Promise<StartingPoint | null> {
  const { output, resumeFrom, run, logger } = options;
  const own = output === null ? null : await newestCheckpoint(output, logger);
  if (own === null && resumeFrom === undefined) return null;
  const checkpoint = own ?? (await foreignCheckpoint(resumeFrom ?? '', logger));
  const { manifest, file } = checkpoint;
  requireSameMathematics(manifest.run.mathematics, run.mathematics, file);
  if (output !== null && own !== null) await tidy(output, file);
  const { step, reports } = manifest.state;
  logger.log(
    'info',
    `goes on from step ${step} of ${run.totalSteps}, ${reports.length} epochs done: ${file}`,
  );
  const changed = differingKeys(manifest.run.circumstances, run.circumstances);
  if (changed.length > 0) {
    const list = changed.map(
      (key) => `${key} (${manifest.run.circumstances[key]}, now ${run.circumstances[key]})`,
    );
    logger.log('warning', `goes on with another ${list.join(', ')}: the last bits will differ`);
  }
  return { checkpoint, isOwn: own !== null };
}

async function foreignCheckpoint(folder: string, logger: Logger): Promise<Checkpoint> {
  const checkpoint = await newestCheckpoint(folder, logger);
  if (checkpoint !== null) return checkpoint;
  throw new TrialError('NOTHING_TO_RESUME', {
    where: folder,
    wanted: 'a folder with checkpoints, as resumeFrom says',
    found: 'none',
    next: 'Name the output folder of an unfinished search, or leave resumeFrom out.',
  });
}
