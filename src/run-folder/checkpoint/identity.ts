/** Whether a search may go on with what another one left. */

import { isDeepStrictEqual } from 'node:util';
import { TrialError } from '../../foundation/errors.ts';

/**
 * Refuses to go on with a search that was another one.
 *
 * @param file - The checkpoint, for the complaint.
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

/** Keys whose values are not the same, in the order of the first. */
export function differingKeys(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => !isDeepStrictEqual(a[key], b[key]));
}
