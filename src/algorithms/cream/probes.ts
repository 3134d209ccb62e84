import type { Batch } from '../../data/stream/batch.ts';
import type { Path } from '../../searchspace/space.ts';
import { predict } from '../../supernet/inference.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import type { Board, BoardEntry } from './board.ts';
import { normalised } from './meta-network.ts';
import type { Match } from './teacher.ts';

/**
 * The direction in which a student differs from an entry: its softmax on the probe images minus the
 * entry's, normalised to length 1, `[images * classes]`.
 */
export function differenceTo(
  { probabilities }: Pick<BoardEntry, 'probabilities'>,
  student: Float32Array,
): Float32Array {
  return normalised(student.map((p, i) => p - (probabilities[i] ?? NaN)));
}

/**
 * The student beside every entry: one forward pass on the probe images, normalised by their batch as
 * the entries' outputs were; running statistics are not touched.
 */
export function matchesOf(
  supernet: Supernet,
  { entries }: Board,
  student: Path,
  probe: Batch,
): Match[] {
  if (entries.length === 0) return [];
  const probabilities = predict(supernet, probe.images, student);
  return entries.map((entry) => ({ entry, difference: differenceTo(entry, probabilities) }));
}
