/** Targets, loss and accuracy of a classifier. */

import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';

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

/** Mean soft cross-entropy of `logits [batch, classes]` to target numbers of the same shape, nats. */
export function crossEntropyTo(engine: Engine, logits: Tensor, targets: Float32Array): Tensor {
  return engine.ops.softCrossEntropy(logits, engine.tensor(targets, logits.shape));
}

/** Value of a scalar; waits for the device. */
export function numberOf(engine: Engine, scalar: Tensor): number {
  return engine.read(scalar)[0] ?? NaN;
}

/**
 * Whether each row of scores `[batch, classes]` has its largest entry at the label: 1 or 0; a row of
 * NaN counts as wrong.
 */
export function hitsOf(scores: Float32Array, labels: ArrayLike<number>): Uint8Array {
  const classes = scores.length / labels.length;
  return Uint8Array.from({ length: labels.length }, (_, i) => {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    const best = row.reduce((top, value, k) => (value > (row[top] ?? -Infinity) ? k : top), -1);
    return Number(best === labels[i]);
  });
}

/** Fraction of rows with their largest entry at the label. */
export function accuracyOf(scores: Float32Array, labels: ArrayLike<number>): number {
  return hitsOf(scores, labels).reduce((sum, hit) => sum + hit, 0) / labels.length;
}

/** Lower limit of probabilities in logarithms: the smallest normal float32. */
const LEAST_PROBABILITY = 2 ** -126;

/**
 * -log p(label) of each row of softmax outputs `[batch, classes]`, nats. Always finite: the label of a
 * row of NaN has the least probability.
 */
export function lossesOf(probabilities: Float32Array, labels: ArrayLike<number>): Float64Array {
  const classes = probabilities.length / labels.length;
  return Float64Array.from({ length: labels.length }, (_, i) => {
    const p = probabilities[i * classes + (labels[i] ?? 0)] ?? NaN;
    return -Math.log(p > LEAST_PROBABILITY ? p : LEAST_PROBABILITY);
  });
}
