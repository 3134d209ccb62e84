import type { Rng } from '../../foundation/rng.ts';
import { isSamePath } from '../../searchspace/path.ts';
import type { Path } from '../../searchspace/space.ts';
import type { Board, BoardEntry } from './board.ts';
import { matchingDegree, matchingScore, type MetaParameters } from './meta-network.ts';

/** A board entry beside a student. */
export interface Match {
  readonly entry: BoardEntry;
  /** Student's softmax minus the entry's on the probe images, normalised, `[images * classes]`. */
  readonly difference: Float32Array;
}

/** The chosen teacher and the weight of its distillation. */
export interface Teacher {
  readonly entry: BoardEntry;
  /** Matching degree of this very entry, in (0, 1). Deviation D2. */
  readonly rho: number;
}

/**
 * The entry with the largest matching score. The student itself cannot teach; a score that is not
 * finite means that nobody teaches this step (deviation D19).
 *
 * @param student - Its canonical path.
 */
export function chooseTeacher(
  phi: MetaParameters,
  matches: readonly Match[],
  student: Path,
): Teacher | null {
  let best: { match: Match; score: number } | null = null;
  for (const match of matches) {
    if (isSamePath(match.entry.path, student)) continue;
    const score = matchingScore(phi, match.difference);
    if (!Number.isFinite(score)) return null;
    if (best === null || score > best.score) best = { match, score };
  }
  return best === null ? null : { entry: best.match.entry, rho: matchingDegree(best.score) };
}

/** Weight of a teacher that no meta network has chosen. */
const CONSTANT_RHO = 0.5;

/** The best entry beside the student. */
export function bestTeacher({ entries }: Board, student: Path): Teacher | null {
  const entry = entries.find(({ path }) => !isSamePath(path, student));
  return entry === undefined ? null : { entry, rho: CONSTANT_RHO };
}

/** Any entry beside the student. */
export function randomTeacher({ entries }: Board, student: Path, rng: Rng): Teacher | null {
  const others = entries.filter(({ path }) => !isSamePath(path, student));
  const entry = others.length === 0 ? undefined : others[rng.below(others.length)];
  return entry === undefined ? null : { entry, rho: CONSTANT_RHO };
}
