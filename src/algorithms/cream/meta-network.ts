/**
 * The meta (matching) network: one linear unit on the normalised difference of two softmax outputs over
 * the same images. It is small, so it is plain float64 numbers, and its gradient is a formula.
 *
 * Nothing in it depends on the scale of a data set's gradients: the difference has length 1, the score
 * is bounded, and Adam takes steps of one size and pulls every parameter into [-1, 1].
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

/** The meta network with Adam's moments. A value: every step returns a new one. */
export interface MetaNetwork extends MetaParameters {
  readonly mean: MetaParameters;
  readonly square: MetaParameters;
  /** Steps taken. */
  readonly steps: number;
}

/** Draws w from U(-1, 1), as Cream does for a layer with one output; b = 0. */
export function createMetaNetwork(inputs: number, seed: number): MetaNetwork {
  const rng = createRng({ seed, stream: 'initialise meta', step: 0 });
  const weight = new Float64Array(inputs).map(() => 2 * rng.uniform() - 1);
  const zero = (): MetaParameters => ({ weight: new Float64Array(inputs), bias: 0 });
  return { weight, bias: 0, mean: zero(), square: zero(), steps: 0 };
}

/** Scores stay within this, so that rho stays within 0.075 and 0.925. */
export const SCORE_BOUND = 2.5;

/** Added to the squared length of a difference: two equal outputs have a difference of zero. */
export const LENGTH_FLOOR = 1e-8;

/** d / |d|. */
export function normalised(difference: Float32Array): Float32Array {
  const square = difference.reduce((sum, d) => sum + d * d, LENGTH_FLOOR);
  return difference.map((d) => d / Math.sqrt(square));
}

/** s = B tanh((w . d + b) / B) of a normalised difference d; without a bound w . d + b. */
export function matchingScore(
  { weight, bias }: MetaParameters,
  difference: ArrayLike<number>,
  bound: number = SCORE_BOUND,
): number {
  const score = weight.reduce((sum, w, i) => sum + w * (difference[i] ?? NaN), bias);
  return bound === Infinity ? score : bound * Math.tanh(score / bound);
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
  /** Student's softmax minus the teacher entry's stored one, normalised, `[images * classes]`. */
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
 * with l = (rho K + (2 - rho) E) / 2, so grad_phi l = (K - E)/2 rho (1 - rho) (1 - (s/B)^2) [d ; 1].
 * Pure float64 numbers; no second derivative of the network is ever taken.
 */
export function metaGradient(
  phi: MetaParameters,
  stencil: MetaStencil,
  bound: number = SCORE_BOUND,
): MetaParameters {
  const { plus, minus, epsilon, xi } = stencil;
  const factorPlus = scoreGradient(phi, plus, bound);
  const factorMinus = scoreGradient(phi, minus, bound);
  const scale = -xi / (2 * epsilon);
  const weight = phi.weight.map(
    (_, i) =>
      scale *
      (factorPlus * (plus.difference[i] ?? NaN) - factorMinus * (minus.difference[i] ?? NaN)),
  );
  return { weight, bias: scale * (factorPlus - factorMinus) };
}

/** dl / d(w . d + b) = (K - E)/2 rho (1 - rho) (1 - (s/B)^2). */
function scoreGradient(
  phi: MetaParameters,
  { kd, ce, difference }: StudentPoint,
  bound: number,
): number {
  const score = matchingScore(phi, difference, bound);
  const rho = matchingDegree(score);
  return ((kd - ce) / 2) * rho * (1 - rho) * (1 - (score / bound) ** 2);
}

/** Euclidean norm of (w, b). */
export function metaNorm({ weight, bias }: MetaParameters): number {
  return Math.sqrt(weight.reduce((sum, w) => sum + w * w, bias * bias));
}

/** Difference of two parameter sets of the same size. */
export function metaDifference(a: MetaParameters, b: MetaParameters): MetaParameters {
  return combine(a, b, (x, y) => x - y);
}

const BETA1 = 0.9;
const BETA2 = 0.99;
const EPSILON = 1e-30;

/**
 * One step of Adam with decoupled decay 1, under which no parameter can leave [-1, 1] for good. The
 * meta-gradient carries the student's step size and may be of any size: epsilon is next to nothing.
 */
export function stepMetaNetwork(
  meta: MetaNetwork,
  gradient: MetaParameters,
  lr: number,
): MetaNetwork {
  const steps = meta.steps + 1;
  const blend = (old: number, now: number, beta: number): number => beta * old + (1 - beta) * now;
  const mean = combine(meta.mean, gradient, (m, g) => blend(m, g, BETA1));
  const square = combine(meta.square, gradient, (q, g) => blend(q, g * g, BETA2));
  const direction = combine(mean, square, (m, q) => {
    const unbiased = Math.sqrt(q / (1 - BETA2 ** steps));
    return m / (1 - BETA1 ** steps) / (unbiased + EPSILON);
  });
  return { ...combine(meta, direction, (p, d) => p - lr * (d + p)), mean, square, steps };
}

/** A function of two parameter sets, number by number. */
function combine(
  a: MetaParameters,
  b: MetaParameters,
  of: (x: number, y: number) => number,
): MetaParameters {
  return {
    weight: a.weight.map((x, i) => of(x, b.weight[i] ?? NaN)),
    bias: of(a.bias, b.bias),
  };
}
