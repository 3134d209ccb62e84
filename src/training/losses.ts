/** Losses as numbers, for reports and rules; the engine differentiates the same formulas. */

/** One-hot targets smoothed towards uniform, `float32 [labels.length, classes]`. */
export function smoothedTargets(
  labels: ArrayLike<number>,
  classes: number,
  smoothing: number,
): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(smoothing / classes);
  for (let i = 0; i < labels.length; i++) {
    targets[i * classes + (labels[i] ?? 0)] = 1 - smoothing + smoothing / classes;
  }
  return targets;
}

/** L = (rho KD + (2 - rho) CE) / 2, nats. @see Cream lib/core/train.py:64 @ 4a13c40 */
export function combinedLoss(rho: number, kd: number, ce: number): number {
  return (rho * kd + (2 - rho) * ce) / 2;
}

/** Fraction of rows whose largest entry stands at the label. */
export function accuracyOf(scores: Float32Array, labels: ArrayLike<number>): number {
  const classes = scores.length / labels.length;
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    const best = row.reduce((top, value, k) => (value > (row[top] ?? -Infinity) ? k : top), 0);
    if (best === labels[i]) hits++;
  }
  return hits / labels.length;
}
