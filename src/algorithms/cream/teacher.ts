import { isSamePath } from '../../searchspace/path.ts';
import type { Path } from '../../searchspace/space.ts';
import type { BoardEntry } from './board.ts';
import { matchingDegree, matchingScore, type MetaParameters } from './meta-network.ts';

/** A board entry together with what the student says about its probe. */
export interface Match {
  readonly entry: BoardEntry;
  /** Student's softmax minus the entry's stored one, `[images * classes]`. */
  readonly difference: Float32Array;
}

/** The chosen teacher and the weight of its distillation. */
export interface Teacher extends Match {
  /** Matching degree of this very entry, in (0, 1). Deviation D2. */
  readonly rho: number;
}

/**
 * The entry with the largest matching score. The student itself cannot teach; a score that is not
 * finite means that nobody teaches this step (deviation D19).
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
  return best === null ? null : { ...best.match, rho: matchingDegree(best.score) };
}
