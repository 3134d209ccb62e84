import {
  emptyBoard,
  insert,
  type Board,
  type BoardEntry,
} from '../../../src/algorithms/cream-official/board.ts';
import { createRng } from '../../../src/foundation/rng.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { tinyBatch, tinyMacs } from '../../support/tiny.ts';

/** A board entry with a probe of two images, as a search would have made it, but for its softmax, which is drawn. */
export function officialEntry(path: Path, batchAccuracy = 0.5): BoardEntry {
  const stream = `entry ${path.join()}`;
  const rng = createRng({ seed: 7, stream, step: 0 });
  const probabilities = [0, 1].flatMap(() => {
    const odds = [0, 1, 2].map(() => Math.exp(2 * rng.normal()));
    const sum = odds.reduce((a, b) => a + b);
    return odds.map((odd) => odd / sum);
  });
  const { images } = tinyBatch(2, stream);
  const probe = { images, probabilities: Float32Array.from(probabilities) };
  return { path, batchAccuracy, macs: tinyMacs(path), step: 0, probe };
}

/** A board with room for four paths. */
export function boardOf(...entries: BoardEntry[]): Board {
  return entries.reduce(insert, emptyBoard(4));
}
