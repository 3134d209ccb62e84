/** Whether a search may resume from a checkpoint. */

import { isDeepStrictEqual } from 'node:util';
import { TrialError } from '../../foundation/errors.ts';

/**
 * Refuses to resume another search.
 *
 * @param file - The checkpoint, for errors.
 * @throws TrialError CHECKPOINT_MISMATCH naming the keys that differ.
 */
export function requireSameMathematics(
  saved: Readonly<Record<string, unknown>>,
  current: Readonly<Record<string, unknown>>,
  file: string,
): void {
  const keys = differingKeys(saved, current);
  if (keys.length === 0) return;
  const list = (values: Readonly<Record<string, unknown>>): string =>
    keys.map((key) => `${key} = ${JSON.stringify(values[key] ?? null)}`).join(', ');
  throw new TrialError('CHECKPOINT_MISMATCH', {
    where: file,
    wanted: list(saved),
    found: list(current),
    next: 'Set these back, or search in another folder, or throw the unfinished search away with --overwrite.',
  });
}

/** Keys with different values, in the order of the first record. */
export function differingKeys(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => !isDeepStrictEqual(a[key], b[key]));
}
