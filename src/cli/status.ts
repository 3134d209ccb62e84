import { mebibytes } from '../run-folder/disk.ts';
import type { CheckpointStatus, FolderStatus } from '../run-folder/status.ts';

/** One fact a line, the first of them what the folder is. */
export function renderStatus(status: FolderStatus): string {
  const { folder, state, holder, progress, best, checkpoints, metrics, problem, next } = status;
  const facts: [string, string | null][] = [
    ['folder', folder],
    ['state', state],
    ['process', holder && `${holder.pid} of ${holder.host} since ${holder.time}`],
    ['progress', progress && renderProgress(progress)],
    ['best', best && `${best.score.toFixed(4)} with ${best.path}`],
    ...checkpoints.map((each): [string, string] => ['checkpoint', renderCheckpoint(each)]),
    ['metrics', `${metrics.recorded} recorded, ${metrics.undelivered} not delivered`],
    ['problem', problem],
    ['go on with', next],
  ];
  return facts
    .flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(12)}${text}`]))
    .join('\n');
}

function renderProgress(progress: NonNullable<FolderStatus['progress']>): string {
  const { step, totalSteps, epoch, epochs, percent } = progress;
  return `step ${step} of ${totalSteps} (${percent} %), epoch ${epoch} of ${epochs}`;
}

function renderCheckpoint({ file, savedAt, step, bytes, damage }: CheckpointStatus): string {
  const facts = [file, step === null ? null : `step ${step}`, savedAt, mebibytes(bytes)];
  const known = facts.filter((fact) => fact !== null).join(', ');
  return `${known}, ${damage === null ? 'whole' : `damaged: ${damage}`}`;
}
