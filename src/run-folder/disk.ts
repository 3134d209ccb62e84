/** Room on the disk: how much a search takes, and whether it is there. */

import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { operationCost } from '../searchspace/cost.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { CHECKPOINT_FOLDER } from './checkpoint/store.ts';

/** Checkpoints that lie in a folder at once: the last two, the best, the rollback point, and a new one. */
const CHECKPOINTS = 5;

/** Result, architecture, metrics and log, with a lot to spare. */
const OTHER_FILES_BYTES = 2 ** 20;

const BYTES_PER_NUMBER = 4;

/**
 * An upper estimate of the bytes that a search's output folder takes.
 *
 * @param ownNumbers - What the algorithm saves beside the network.
 */
export function searchBytes(space: SearchSpace, ownNumbers: number): number {
  const params = space.blocks
    .flatMap(({ candidates, input }) =>
      candidates.map(({ operation }) => operationCost(operation, input).params),
    )
    .reduce((total, count) => total + count, 0);
  // Weight, momentum, and at most as many running statistics.
  const network = 3 * params;
  return CHECKPOINTS * BYTES_PER_NUMBER * (network + ownNumbers) + OTHER_FILES_BYTES;
}

/**
 * Refuses a disk that has too little room for a search. What the folder's checkpoints take already
 * counts as room.
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

/** Bytes as text, rounded up: half a MiB is not none. */
export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** Sizes of the files in a folder; 0 for a folder that is not there. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) => stat(join(folder, name)).then(({ size }) => size));
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}
