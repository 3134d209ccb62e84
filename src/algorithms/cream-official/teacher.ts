import type { Path } from '../../searchspace/space.ts';
import { predict } from '../../supernet/inference.ts';
import type { PassOptions, Supernet } from '../../supernet/supernet.ts';
import type { MetaParameters } from '../cream/meta-network.ts';
import type { Board, BoardEntry } from './board.ts';
import { linearScore, reversedDegree } from './meta-network.ts';

/** A board entry together with what the student says about its probe. */
export interface Match {
  readonly entry: BoardEntry;
  /** Student's softmax minus the entry's stored one, `[images * classes]`. */
  readonly difference: Float32Array;
}

/** The chosen teacher, and the weight of its distillation. */
export interface Teacher {
  readonly entry: BoardEntry;
  /** The board's last entry, whose score decides rho, whoever teaches (defect D2). */
  readonly last: BoardEntry;
  /** sigmoid(-s) of the last entry's score s, in (0, 1) (defect D3). */
  readonly rho: number;
}

/**
 * The entry with the largest score, with rho of the last entry. The student may teach itself. A score
 * that is not finite means that nobody teaches: the code's own assertion would end the run (defect D19).
 */
export function chooseTeacher(phi: MetaParameters, matches: readonly Match[]): Teacher | null {
  const last = matches.at(-1);
  if (last === undefined) return null;
  const scores = matches.map(({ difference }) => linearScore(phi, difference));
  if (!scores.every(Number.isFinite)) return null;
  const best = matches[scores.indexOf(Math.max(...scores))] ?? last;
  return { entry: best.entry, last: last.entry, rho: reversedDegree(phi, last.difference) };
}

/** What the student says about every entry's probe, each normalised by its own few images. */
export function matchesOf(supernet: Supernet, { entries }: Board, student: Path): Match[] {
  return entries.map((entry) => ({ entry, difference: differenceOf(supernet, entry, student) }));
}

/** d = student's softmax on an entry's probe minus the stored one (defects D4 and D6). */
export function differenceOf(
  supernet: Supernet,
  { probe }: BoardEntry,
  student: Path,
  options?: PassOptions,
): Float32Array {
  return differenceTo(probe.probabilities, predict(supernet, probe.images, student, options));
}

/** What was said now minus what is stored. */
export function differenceTo(stored: Float32Array, now: Float32Array): Float32Array {
  return stored.map((p, i) => (now[i] ?? NaN) - p);
}
