import type { Batch } from '../../data/stream/batch.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../engine/ops.ts';
import { crossEntropyTo, smoothedTargets } from '../../supernet/classification.ts';
import { predict } from '../../supernet/inference.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import type { LossOf } from '../algorithm.ts';
import type { Teacher } from './teacher.ts';

/**
 * Loss of a student on a batch: (rho KD + (2 - rho) CE) / 2, or CE where nobody teaches; rho is a
 * constant. Names its `logits`, their softmax as `probabilities`, and `kd`. Deviation D7.
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
    const probabilities = engine.ops.softmax(logits);
    if (teacher === null || softTargets === null) {
      return { loss: ce, outputs: { logits, probabilities } };
    }
    const kd = crossEntropyTo(engine, logits, softTargets);
    const loss = combinedLoss(engine, teacher.rho, kd, ce);
    return { loss, outputs: { logits, probabilities, kd } };
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
 * rho = sigmoid(w . vec(p) + b) of softmax outputs `p [images, classes]` with `w [images * classes]`:
 * a scalar, differentiable in p.
 */
export function differentiableRho(
  { math }: Engine,
  probabilities: Tensor,
  weight: Tensor,
  bias: number,
): Tensor {
  const score = math.sum(math.multiply(math.flatten(probabilities), weight));
  return math.sigmoid(math.add(score, bias));
}
