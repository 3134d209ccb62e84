/**
 * The meta (matching) network: one linear unit on the difference of two softmax outputs over the
 * same images. It is small, so it is plain float64 numbers, and its gradient is a formula.
 *
 * @see Cream lib/models/MetaMatchingNetwork.py @ 4a13c40; deviations D2, D3, D7 and D9 to D13.
 */

import { createRng } from '../../foundation/rng.ts';

/** Parameters phi = (w, b). */
export interface MetaParameters {
  /** `[images * classes]`. */
  readonly weight: Float64Array;
  readonly bias: number;
}

/** The meta network with its own momentum. A value: every step returns a new one. */
export interface MetaNetwork extends MetaParameters {
  readonly velocity: MetaParameters;
}

/** Draws w from U(-1, 1), as Cream does for a layer with one output; b = 0. */
export function createMetaNetwork(inputs: number, seed: number): MetaNetwork {
  const rng = createRng({ seed, stream: 'initialise meta', step: 0 });
  const weight = new Float64Array(inputs).map(() => 2 * rng.uniform() - 1);
  return { weight, bias: 0, velocity: { weight: new Float64Array(inputs), bias: 0 } };
}

/** s = w . d + b */
export function matchingScore(
  { weight, bias }: MetaParameters,
  difference: ArrayLike<number>,
): number {
  return weight.reduce((sum, w, i) => sum + w * (difference[i] ?? NaN), bias);
}

/** rho = sigmoid(s): the better the match, the larger the weight of distillation. Deviation D3. */
export function matchingDegree(score: number): number {
  return 1 / (1 + Math.exp(-score));
}

/** What the meta-gradient needs to know of the student at one point theta. */
export interface StudentPoint {
  /** Distillation loss K(theta) on the training slice, nats. */
  readonly kd: number;
  /** Cross-entropy E(theta) on the training slice, nats. */
  readonly ce: number;
  /** d(theta): student's softmax minus the teacher entry's stored one, `[images * classes]`. */
  readonly difference: ArrayLike<number>;
}

/** The two points theta + epsilon v and theta - epsilon v of a central difference. */
export interface MetaStencil {
  readonly plus: StudentPoint;
  readonly minus: StudentPoint;
  readonly epsilon: number;
  /** Step size of the virtual student step theta' = theta - xi grad l. */
  readonly xi: number;
}

/**
 * dJ/dphi of the validation loss J at the virtually stepped student, through theta:
 *
 * dJ/dphi = -xi (grad_phi l(theta + eps v) - grad_phi l(theta - eps v)) / (2 eps)
 *
 * with l = (rho K + (2 - rho) E) / 2, so grad_phi l = (K - E)/2 rho (1 - rho) [d ; 1].
 * Pure float64 numbers; no second derivative of the network is ever taken.
 */
export function metaGradient(phi: MetaParameters, stencil: MetaStencil): MetaParameters {
  const { plus, minus, epsilon, xi } = stencil;
  const factorPlus = scoreGradient(phi, plus);
  const factorMinus = scoreGradient(phi, minus);
  const scale = -xi / (2 * epsilon);
  const weight = phi.weight.map(
    (_, i) =>
      scale *
      (factorPlus * (plus.difference[i] ?? NaN) - factorMinus * (minus.difference[i] ?? NaN)),
  );
  return { weight, bias: scale * (factorPlus - factorMinus) };
}

/** dl/ds = (K - E)/2 rho (1 - rho). */
function scoreGradient(phi: MetaParameters, { kd, ce, difference }: StudentPoint): number {
  const rho = matchingDegree(matchingScore(phi, difference));
  return ((kd - ce) / 2) * rho * (1 - rho);
}

/** Euclidean norm of (w, b). */
export function metaNorm({ weight, bias }: MetaParameters): number {
  return Math.sqrt(weight.reduce((sum, w) => sum + w * w, bias * bias));
}

/** Difference of two parameter sets of the same size. */
export function metaDifference(a: MetaParameters, b: MetaParameters): MetaParameters {
  return {
    weight: a.weight.map((w, i) => w - (b.weight[i] ?? NaN)),
    bias: a.bias - b.bias,
  };
}

const MAX_GRADIENT_NORM = 1;
const MOMENTUM = 0.9;

/** One Nesterov step (momentum 0.9, no decay) along a gradient clipped to norm 1. */
export function stepMetaNetwork(
  meta: MetaNetwork,
  gradient: MetaParameters,
  lr: number,
): MetaNetwork {
  const clip = Math.min(1, MAX_GRADIENT_NORM / Math.max(metaNorm(gradient), Number.MIN_VALUE));
  const accumulate = (v: number, g: number): number => MOMENTUM * v + clip * g;
  const advance = (p: number, v: number, g: number): number => p - lr * (clip * g + MOMENTUM * v);
  const velocity = {
    weight: meta.velocity.weight.map((v, i) => accumulate(v, gradient.weight[i] ?? NaN)),
    bias: accumulate(meta.velocity.bias, gradient.bias),
  };
  return {
    weight: meta.weight.map((w, i) =>
      advance(w, velocity.weight[i] ?? NaN, gradient.weight[i] ?? NaN),
    ),
    bias: advance(meta.bias, velocity.bias, gradient.bias),
    velocity,
  };
}
