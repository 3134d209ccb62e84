import type { Batch } from '../../data/stream/batch.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../engine/ops.ts';
import { crossEntropyTo, smoothedTargets } from '../../supernet/classification.ts';
import { predict } from '../../supernet/inference.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import type { LossOf } from '../algorithm.ts';
import { LENGTH_FLOOR, SCORE_BOUND, type MetaParameters } from './meta-network.ts';
import type { Teacher } from './teacher.ts';

/**
 * Loss of a student on a batch: (rho KD + (2 - rho) CE) / 2, or CE where nobody teaches; rho is a
 * constant. Names `ce` and `kd`. Deviation D7.
 */
export function studentLoss(
  supernet: Supernet,
  { images, labels }: Batch,
  teacher: Pick<Teacher, 'entry' | 'rho'> | null,
  labelSmoothing: number,
): LossOf {
  const { engine, space } = supernet;
  const targets = smoothedTargets(labels, space.classes, labelSmoothing);
  // The teacher's softmax on the batch, without gradient and normalised by the batch.
  const softTargets = teacher && predict(supernet, images, teacher.entry.path);
  return (logits) => {
    const ce = crossEntropyTo(engine, logits, targets);
    if (teacher === null || softTargets === null) return { loss: ce, outputs: { ce } };
    const kd = crossEntropyTo(engine, logits, softTargets);
    return { loss: combinedLoss(engine, teacher.rho, kd, ce), outputs: { ce, kd } };
  };
}

/** (rho KD + (2 - rho) CE) / 2 of scalars, differentiable in all of them. */
export function combinedLoss(
  { math }: Engine,
  rho: Tensor | number,
  kd: Tensor,
  ce: Tensor,
): Tensor {
  const both = math.add(math.multiply(rho, kd), math.multiply(math.subtract(2, rho), ce));
  return math.multiply(both, 0.5);
}

/**
 * rho = sigmoid(B tanh((w . d + b) / B)), d = (p - q) / |p - q|, of softmax outputs `p [images, classes]`
 * and an entry's stored `q [images * classes]`: a scalar, differentiable in p.
 */
export function differentiableRho(
  engine: Engine,
  probabilities: Tensor,
  stored: Float32Array,
  phi: MetaParameters,
): Tensor {
  const { math } = engine;
  const vector = (values: Float32Array): Tensor => engine.tensor(values, [values.length]);
  const difference = math.subtract(math.flatten(probabilities), vector(stored));
  const square = math.add(math.sum(math.multiply(difference, difference)), LENGTH_FLOOR);
  const dot = math.sum(math.multiply(difference, vector(Float32Array.from(phi.weight))));
  const score = math.add(math.multiply(dot, math.rsqrt(square)), phi.bias);
  return math.sigmoid(math.multiply(math.tanh(math.multiply(score, 1 / SCORE_BOUND)), SCORE_BOUND));
}
