/**
 * Whether counts may come from the expected numbers: p > 0.001 in Pearson's test, every category
 * observed in all of them.
 *
 * @see Wilson and Hilferty, "The distribution of chi-square" (1931): its cube root is nearly normal.
 */
export function mayComeFrom(counts: readonly number[], expected: readonly number[]): boolean {
  const degrees = counts.length - 1;
  const statistic = expected.reduce(
    (sum, mean, k) => sum + ((counts[k] ?? 0) - mean) ** 2 / mean,
    0,
  );
  const spread = 2 / (9 * degrees);
  return (Math.cbrt(statistic / degrees) - (1 - spread)) / Math.sqrt(spread) < 3.0902;
}
