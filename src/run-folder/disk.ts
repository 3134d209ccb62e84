/** Estimates the disk space of a search, and checks it. */

import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { operationCost } from '../searchspace/cost.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { CHECKPOINT_FOLDER } from './checkpoint/store.ts';

/** Most checkpoints at once: the last two, the best, the rollback checkpoint, and a new one. */
const CHECKPOINTS = 5;

/** Result, architecture, metrics and log; generous. */
const OTHER_FILES_BYTES = 2 ** 20;

const BYTES_PER_NUMBER = 4;

/**
 * An upper estimate of the size of a search's output folder, bytes.
 *
 * @param kept - Tensors that the optimizer keeps for each parameter, and numbers that the algorithm
 *   saves beside the network.
 */
export function searchBytes(
  space: SearchSpace,
  { slots, ownNumbers }: { slots: number; ownNumbers: number },
): number {
  const params = space.blocks
    .flatMap(({ candidates, input }) =>
      candidates.map(({ operation }) => operationCost(operation, input).params),
    )
    .reduce((total, count) => total + count, 0);
  // Weights, what the optimizer keeps, and at most as many running statistics.
  const network = (2 + slots) * params;
  return CHECKPOINTS * BYTES_PER_NUMBER * (network + ownNumbers) + OTHER_FILES_BYTES;
}

/**
 * Refuses a disk with too little space for a search. The space of the folder's checkpoints counts as
 * free.
 *
 * @param folder - An output folder; it exists.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function checkDisk(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const taken = await bytesIn(join(folder, CHECKPOINT_FOLDER));
  if (free + taken >= neededBytes) return;
  throw new TrialError('FILE_UNWRITABLE', {
    where: folder,
    wanted: `${mebibytes(neededBytes - taken)} of free space for checkpoints and results`,
    found: mebibytes(free),
    next: 'Free space on this disk, or name another output folder.',
  });
}

/** Formats bytes as MiB, rounded up. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** Total size of the files in a folder; 0 if it is missing. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) => stat(join(folder, name)).then(({ size }) => size));
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}
