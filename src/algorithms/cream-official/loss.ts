import type { Batch } from '../../data/stream/batch.ts';
import type { Tensor } from '../../engine/ops.ts';
import { crossEntropyTo, smoothedTargets } from '../../supernet/classification.ts';
import { imagesOf } from '../../supernet/inference.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import type { LossOf } from '../algorithm.ts';
import { combinedLoss } from '../cream/loss.ts';
import type { Lesson } from './lesson.ts';

/**
 * (rho KD + (2 - rho) CE) / 2 with rho a function of the student, so that the loss reaches the weights
 * through the last entry's probe too (defect D7); CE where nobody teaches. Names `logits` and their
 * softmax as `probabilities`; with a lesson also `kd`, `ce`, `rho`, and the student's softmax on that
 * probe as `probe`.
 */
export function trainingLoss(
  supernet: Supernet,
  { labels }: Batch,
  lesson: Lesson | null,
  labelSmoothing: number,
): LossOf {
  const { engine, space } = supernet;
  const targets = smoothedTargets(labels, space.classes, labelSmoothing);
  return (logits) => {
    const ce = crossEntropyTo(engine, logits, targets);
    const outputs = { logits, probabilities: engine.ops.softmax(logits) };
    if (lesson === null) return { loss: ce, outputs };
    const kd = crossEntropyTo(engine, logits, lesson.teaching);
    const { rho, probe } = lastDegree(supernet, lesson);
    return { loss: combinedLoss(engine, rho, kd, ce), outputs: { ...outputs, kd, ce, rho, probe } };
  };
}

/** rho KD: the loss of the meta update's student step, without the labels (defect D12). */
export function distillationLoss(supernet: Supernet, lesson: Lesson): LossOf {
  const { engine } = supernet;
  return (logits) => {
    const kd = crossEntropyTo(engine, logits, lesson.teaching);
    return { loss: engine.math.multiply(lastDegree(supernet, lesson).rho, kd) };
  };
}

/** rho = sigmoid(-s) of the last entry, a scalar differentiable in the student's weights. */
function lastDegree(
  supernet: Supernet,
  { student, phi, last }: Lesson,
): { rho: Tensor; probe: Tensor } {
  const { engine } = supernet;
  const { math, ops } = engine;
  const probe = ops.softmax(supernet.forward(imagesOf(supernet, last.probe.images), student));
  const weight = engine.tensor(Float32Array.from(phi.weight), probe.shape);
  const stored = engine.tensor(last.probe.probabilities, probe.shape);
  const sum = math.sum(math.multiply(weight, math.subtract(probe, stored)));
  return { rho: math.sigmoid(math.subtract(-phi.bias, sum)), probe };
}
