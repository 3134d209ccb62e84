/**
 * The prioritized path board: the best paths met so far, who are the teachers.
 *
 * A value: every change returns a new board. An entry's payload (its probe) is plain data too.
 *
 * @see Cream lib/models/PrioritizedBoard.py @ 4a13c40; deviations D5, D14 and D18.
 */

import { isSamePath, pathKey } from '../../searchspace/path.ts';
import type { Path } from '../../searchspace/space.ts';

/** Images that a path was admitted with and what it said about them: what a meta network sees. */
export interface Probe {
  /** `float32 [images, size, size, 3]`, normalised. */
  readonly images: Float32Array;
  /** The path's own softmax on them at admission, `float32 [images, classes]`. */
  readonly probabilities: Float32Array;
}

/** One path on the board. */
export interface BoardEntry {
  readonly path: Path;
  /** On the held-out mini-set when it was last measured, fraction. */
  readonly accuracy: number;
  /** On the training batch of that step, fraction: what makes a path a candidate. */
  readonly batchAccuracy: number;
  /** Multiply-accumulates. */
  readonly macs: number;
  /** Global step of the measurement. */
  readonly step: number;
  readonly probe: Probe;
}

/** At most `capacity` distinct paths, best first. */
export interface Board {
  readonly capacity: number;
  readonly entries: readonly BoardEntry[];
}

/** What the admission rules look at. */
export interface Merit {
  /** Fraction. */
  readonly accuracy: number;
  readonly macs: number;
}

/** A board with room for `capacity` paths. */
export function emptyBoard(capacity: number): Board {
  return { capacity, entries: [] };
}

/**
 * Whether a measured path may enter: the board has room, or the path beats the least accurate entry
 * by more than the gap, or beats it at fewer multiply-accumulates (all comparisons strict). A path
 * that is on the board already always may: its newest measurement replaces the old one.
 */
export function isAdmissible(
  board: Board,
  applicant: Merit & { readonly path: Path },
  gapAt: (worst: number) => number,
): boolean {
  if (board.entries.some((entry) => isSamePath(entry.path, applicant.path))) return true;
  return beatsWorst(board, applicant, { gapAt, accuracyOf: (entry) => entry.accuracy });
}

/** The same rule between training-batch accuracies: is the path worth a measurement? */
export function isCandidate(board: Board, merit: Merit, gapAt: (worst: number) => number): boolean {
  return beatsWorst(board, merit, { gapAt, accuracyOf: (entry) => entry.batchAccuracy });
}

function beatsWorst(
  { capacity, entries }: Board,
  { accuracy, macs }: Merit,
  rule: { gapAt: (worst: number) => number; accuracyOf: (entry: BoardEntry) => number },
): boolean {
  const worst = entries.at(-1);
  if (worst === undefined || entries.length < capacity) return true;
  const worstAccuracy = rule.accuracyOf(worst);
  if (accuracy <= worstAccuracy) return false;
  return accuracy > worstAccuracy + rule.gapAt(worstAccuracy) || macs < worst.macs;
}

/** Adds a measured path, or replaces its older measurement; drops the last entry when over-full. */
export function insert(board: Board, entry: BoardEntry): Board {
  const others = board.entries.filter((other) => !isSamePath(other.path, entry.path));
  const entries = [...others, entry].sort(byMerit).slice(0, board.capacity);
  return { ...board, entries };
}

/** Most accurate first, then cheapest, then by path: a total order. */
function byMerit(a: BoardEntry, b: BoardEntry): number {
  if (a.accuracy !== b.accuracy) return b.accuracy - a.accuracy;
  if (a.macs !== b.macs) return a.macs - b.macs;
  return pathKey(a.path) < pathKey(b.path) ? -1 : 1;
}

/** Smallest default of the accuracy gap, fraction. */
const SMALLEST_GAP = 0.05;

/** Three standard errors of an accuracy measured on `images`, and at least 0.05. */
export function noiseGap(images: number): (accuracy: number) => number {
  return (accuracy) => Math.max(SMALLEST_GAP, 3 * Math.sqrt((accuracy * (1 - accuracy)) / images));
}
