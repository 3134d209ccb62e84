/**
 * The prioritized path board: the best paths met so far, who are the teachers.
 *
 * A value: every change returns a new board. All entries were measured with the same weights, in one
 * round, so that they can be compared with each other and with applicants of that round.
 *
 * @see Cream lib/models/PrioritizedBoard.py @ 4a13c40; deviations D5, D6, D14 and D18.
 */

import { pathKey } from '../../searchspace/path.ts';
import type { Path } from '../../searchspace/space.ts';

/** One path on the board. */
export interface BoardEntry {
  /** The canonical one of its network: twins are one entry. */
  readonly path: Path;
  readonly macs: number;
  /** Mean over the mini-set at its last measurement, nats. */
  readonly crossEntropy: number;
  /** The same measurement's fraction of hits. */
  readonly accuracy: number;
  /** Its softmax on the probe images at that time, `float32 [images, classes]`. */
  readonly probabilities: Float32Array;
  /** Global step at which it came onto the board. */
  readonly since: number;
}

/** At most `capacity` distinct networks, best first. */
export interface Board {
  readonly capacity: number;
  readonly entries: readonly BoardEntry[];
}

/** Who of the measured paths stays: all of one board and its applicants, in any order. */
export type AdmissionRule = (
  members: readonly BoardEntry[],
  applicants: readonly BoardEntry[],
  capacity: number,
) => readonly BoardEntry[];

/** A board with room for `capacity` paths. */
export function emptyBoard(capacity: number): Board {
  return { capacity, entries: [] };
}

/** The board after a round of measurements. */
export function admitBy(
  rule: AdmissionRule,
  { capacity }: Board,
  members: readonly BoardEntry[],
  applicants: readonly BoardEntry[],
): Board {
  return { capacity, entries: rule(members, applicants, capacity).toSorted(byMerit) };
}

/**
 * Pareto fronts of cross-entropy and multiply-accumulates: the first front stays, then the second,
 * until the board is full; of a front that is too large the best by cross-entropy stay. So a board
 * never loses its best path, and holds good paths of every size.
 */
export const paretoRule: AdmissionRule = (members, applicants, capacity) => {
  const kept: BoardEntry[] = [];
  let left = [...members, ...applicants];
  while (kept.length < capacity && left.length > 0) {
    const rest = left;
    const front = rest.filter((entry) => !rest.some((other) => dominates(other, entry)));
    kept.push(...front.toSorted(byMerit).slice(0, capacity - kept.length));
    left = rest.filter((entry) => !front.includes(entry));
  }
  return kept;
};

/** Whether one path is as good as another in both respects, and better in one. */
function dominates(a: BoardEntry, b: BoardEntry): boolean {
  if (a.crossEntropy > b.crossEntropy || a.macs > b.macs) return false;
  return a.crossEntropy < b.crossEntropy || a.macs < b.macs;
}

/**
 * The rule of Cream's code: one applicant after the other enters if the board has room, if it beats
 * the least accurate entry by more than the gap, or beats it at fewer multiply-accumulates (all
 * comparisons strict); the least accurate entry leaves.
 */
export function officialRule(gapAt: (worst: number) => number): AdmissionRule {
  return (members, applicants, capacity) =>
    applicants.reduce<readonly BoardEntry[]>((entries, applicant) => {
      const worst = entries.at(-1);
      if (worst === undefined || entries.length < capacity) {
        return [...entries, applicant].sort(byAccuracy);
      }
      const lead = applicant.accuracy - worst.accuracy;
      const isAdmitted = lead > 0 && (lead > gapAt(worst.accuracy) || applicant.macs < worst.macs);
      return isAdmitted ? [...entries.slice(0, -1), applicant].sort(byAccuracy) : entries;
    }, members.toSorted(byAccuracy));
}

/** Least cross-entropy first, then cheapest, then by path: a total order. */
export function byMerit(a: BoardEntry, b: BoardEntry): number {
  return a.crossEntropy - b.crossEntropy || byCost(a, b);
}

/** Most accurate first, then cheapest, then by path. */
function byAccuracy(a: BoardEntry, b: BoardEntry): number {
  return b.accuracy - a.accuracy || byCost(a, b);
}

function byCost(a: BoardEntry, b: BoardEntry): number {
  if (a.macs !== b.macs) return a.macs - b.macs;
  return pathKey(a.path) < pathKey(b.path) ? -1 : 1;
}

/** Smallest default of the accuracy gap, fraction. */
const SMALLEST_GAP = 0.05;

/** Three standard errors of an accuracy measured on `images`, and at least 0.05. */
export function noiseGap(images: number): (accuracy: number) => number {
  return (accuracy) => Math.max(SMALLEST_GAP, 3 * Math.sqrt((accuracy * (1 - accuracy)) / images));
}
