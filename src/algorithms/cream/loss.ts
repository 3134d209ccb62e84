import type { Engine } from '../../engine/engine.ts';
import type { Tensor } from '../../engine/ops.ts';

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
