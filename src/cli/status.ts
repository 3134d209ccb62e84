import { readText } from '../foundation/documents.ts';
import { TrialError } from '../foundation/errors.ts';
import { mebibytes } from '../run-folder/disk.ts';
import { spaceSha256 } from '../tasks/space-files.ts';
import type { CheckpointStatus, FolderStatus, PathNamer } from '../run-folder/status.ts';
import { pathText } from '../searchspace/path.ts';
import { parseTrialConfig } from '../tasks/config.ts';
import { loadSearchSpace } from '../tasks/space-files.ts';

/** Names a path's candidates by the run's search space; null if that is missing or has changed. */
export const nameByConfig: PathNamer = async ({ configFile, mathematics }, path) => {
  try {
    const config = parseTrialConfig(await readText(configFile), configFile);
    const space = await loadSearchSpace(config);
    const isSame = spaceSha256(space) === mathematics['content of skeleton and space'];
    return isSame ? pathText(space, path) : null;
  } catch (thrown) {
    // Unusable config files are no fault of this folder.
    if (thrown instanceof TrialError) return null;
    throw thrown;
  }
};

/** One fact per line, the folder's state first. */
export function renderStatus(status: FolderStatus): string {
  const { folder, state, holder, progress, best, study, checkpoints, metrics, problem, next } =
    status;
  const facts: [string, string | null][] = [
    ['folder', folder],
    ['state', state],
    ['process', holder && `${holder.pid} of ${holder.host} since ${holder.time}`],
    ['progress', progress && renderProgress(progress)],
    ['best', best && `${best.score.toFixed(4)} with ${best.path}`],
    ['found', study],
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
