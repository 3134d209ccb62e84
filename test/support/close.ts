import assert from 'node:assert/strict';

/**
 * Asserts that two lists have the same length and differ nowhere by more than a part of the largest
 * wanted magnitude. There is no absolute floor: where zeros are wanted, only zeros will do, and numbers
 * of another scale fail however small both are.
 *
 * @param relative - Allowed difference, in parts of the largest wanted magnitude.
 * @param what - Name of the numbers, for the message.
 */
export function assertClose(
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  relative: number,
  what: string,
): void {
  assert.equal(actual.length, wanted.length, `${what}: how many`);
  const scale = Array.from(wanted).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(Number.isFinite(scale), `${what}: what is wanted is finite`);
  for (let i = 0; i < wanted.length; i++) {
    const [found, value] = [actual[i] ?? NaN, wanted[i] ?? NaN];
    assert.ok(
      Math.abs(found - value) <= relative * scale,
      `${what}[${i}]: ${found} for ${value}, where the largest is ${scale}`,
    );
  }
}
