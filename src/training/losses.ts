/** Targets of the losses, and accuracy: plain numbers. */

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

/** Fraction of rows whose largest entry stands at the label; a row of NaN has none. */
export function accuracyOf(scores: Float32Array, labels: ArrayLike<number>): number {
  const classes = scores.length / labels.length;
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    const best = row.reduce((top, value, k) => (value > (row[top] ?? -Infinity) ? k : top), -1);
    if (best === labels[i]) hits++;
  }
  return hits / labels.length;
}
