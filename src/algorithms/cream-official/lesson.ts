import type { Path } from '../../searchspace/space.ts';
import { predict } from '../../supernet/inference.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import type { MetaParameters } from '../cream/meta-network.ts';
import type { Board, BoardEntry } from './board.ts';
import { chooseTeacher, matchesOf } from './teacher.ts';

/** What a student is taught. */
export interface Lesson {
  readonly student: Path;
  readonly phi: MetaParameters;
  /** The board's last entry: rho is its, whoever teaches. */
  readonly last: BoardEntry;
  /** The teacher's softmax on the images of the loss, `float32 [batch, classes]`. */
  readonly teaching: Float32Array;
}

/**
 * Picks the teacher of a student and asks it about images, `float32 [batch, size, size, 3]`, without
 * gradient and normalised by the batch. Null where nobody teaches.
 */
export function lessonOf(
  supernet: Supernet,
  phi: MetaParameters,
  of: { readonly student: Path; readonly board: Board; readonly images: Float32Array },
): Lesson | null {
  const { student, board, images } = of;
  const teacher = chooseTeacher(phi, matchesOf(supernet, board, student));
  if (teacher === null) return null;
  const teaching = predict(supernet, images, teacher.entry.path);
  return { student, phi, last: teacher.last, teaching };
}
