import type { Path } from '../../searchspace/space.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import { predict } from '../../supernet/inference.ts';
import type { Match } from './teacher.ts';
import type { Board, BoardEntry } from './board.ts';

/** All entries' probe images one after the other, `float32 [entries * images, size, size, 3]`. */
export function probeImages({ entries }: Board): Float32Array {
  const length = entries.reduce((sum, { probe }) => sum + probe.images.length, 0);
  const all = new Float32Array(length);
  let offset = 0;
  for (const { probe } of entries) {
    all.set(probe.images, offset);
    offset += probe.images.length;
  }
  return all;
}

/** d = student's softmax on an entry's probe minus the entry's stored one. */
export function differenceTo(
  entry: BoardEntry,
  board: Board,
  probabilities: Float32Array,
): Float32Array {
  const stored = entry.probe.probabilities;
  const offset = board.entries.indexOf(entry) * stored.length;
  return stored.map((p, i) => (probabilities[offset + i] ?? NaN) - p);
}

/**
 * What the student says about every entry's probe: one forward pass over all probes together,
 * normalised by their common batch; running statistics are not touched.
 */
export function matchesOf(supernet: Supernet, board: Board, student: Path): Match[] {
  if (board.entries.length === 0) return [];
  const probabilities = predict(supernet, probeImages(board), student);
  return board.entries.map((entry) => ({
    entry,
    difference: differenceTo(entry, board, probabilities),
  }));
}
