/**
 * The prioritized path board as the released code keeps it: paths by the accuracy of the one training
 * batch that admitted them, which is never measured again (defect D14). A path may stand twice.
 *
 * @see Cream lib/models/PrioritizedBoard.py @ 4a13c40, lines 92 to 129.
 */

import type { Path } from '../../searchspace/space.ts';

/** Images that a path was admitted with, and the softmax that is stored with them. */
export interface Probe {
  /** `float32 [images, size, size, 3]`, normalised. */
  readonly images: Float32Array;
  /** `float32 [images, classes]`; never refreshed (defect D6). */
  readonly probabilities: Float32Array;
}

/** One path on the board. */
export interface BoardEntry {
  readonly path: Path;
  /** On the training batch of its step, fraction. */
  readonly batchAccuracy: number;
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Global step of the admission. */
  readonly step: number;
  readonly probe: Probe;
}

/** At most `capacity` paths, best first. A value: every change returns a new board. */
export interface Board {
  readonly capacity: number;
  readonly entries: readonly BoardEntry[];
}

/** A board with room for `capacity` paths. */
export function emptyBoard(capacity: number): Board {
  return { capacity, entries: [] };
}

/**
 * Whether a path enters: there is room, or it leads the last entry by more than the gap, or by
 * anything at fewer multiply-accumulates. Of both, accuracies are those of single training batches.
 *
 * @param accGap - Fraction.
 */
export function isAdmissible(
  { capacity, entries }: Board,
  { batchAccuracy, macs }: Pick<BoardEntry, 'batchAccuracy' | 'macs'>,
  accGap: number,
): boolean {
  const worst = entries.at(-1);
  if (worst === undefined || entries.length < capacity) return true;
  if (batchAccuracy > worst.batchAccuracy + accGap) return true;
  return batchAccuracy > worst.batchAccuracy && macs < worst.macs;
}

/** Adds an entry; drops the last one when over-full. */
export function insert({ capacity, entries }: Board, entry: BoardEntry): Board {
  return { capacity, entries: [...entries, entry].sort(byBatchAccuracy).slice(0, capacity) };
}

/**
 * The order of the code's tuples, largest first: accuracy, then cost, then the path's digits. Where
 * all are equal its comparison raises (defect D18); here the older entry stays in front.
 */
function byBatchAccuracy(a: BoardEntry, b: BoardEntry): number {
  if (a.batchAccuracy !== b.batchAccuracy) return b.batchAccuracy - a.batchAccuracy;
  if (a.macs !== b.macs) return b.macs - a.macs;
  const differing = a.path.findIndex((candidate, i) => candidate !== b.path[i]);
  return (b.path[differing] ?? 0) - (a.path[differing] ?? 0);
}
