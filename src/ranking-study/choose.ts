import { TrialError } from '../foundation/errors.ts';
import { createRng } from '../foundation/rng.ts';
import type { TableRow } from './table.ts';

/**
 * Draws rows of a table, each at most once. With the same seed, fewer rows are a part of more rows.
 *
 * @param count - From 2 on.
 * @throws TrialError TABLE_INVALID when the table has fewer networks.
 */
export function chooseNets(
  rows: readonly TableRow[],
  count: number,
  seed: number,
): readonly TableRow[] {
  if (count > rows.length) {
    throw new TrialError('TABLE_INVALID', {
      where: 'the table',
      wanted: `${count} different networks`,
      found: `${rows.length}`,
      next: 'Ask for fewer networks',
    });
  }
  const order = createRng({ seed, stream: 'rank: networks', step: 0 }).permutation(rows.length);
  return Array.from(order.subarray(0, count), (i) => rows[i] as TableRow);
}
