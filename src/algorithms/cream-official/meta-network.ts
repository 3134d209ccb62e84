/**
 * The meta network as the released code trains it: one linear unit whose parameters phi = (w, b) are
 * in the student's own optimizer. Plain float64 numbers; its gradients are formulas.
 *
 * @see Cream lib/models/MetaMatchingNetwork.py and lib/core/train.py @ 4a13c40.
 */

import { createRng } from '../../foundation/rng.ts';
import { metaNorm, type MetaParameters } from '../cream/meta-network.ts';

/** phi with its momentum. A value: every step returns a new one. */
export interface MetaNetwork extends MetaParameters {
  readonly velocity: MetaParameters;
}

/** Draws w from U(-1, 1), as the code does for a layer with one output; b = 0. */
export function createMetaNetwork(inputs: number, seed: number): MetaNetwork {
  const rng = createRng({ seed, stream: 'initialise meta', step: 0 });
  const weight = new Float64Array(inputs).map(() => 2 * rng.uniform() - 1);
  return { weight, bias: 0, velocity: zerosLike({ weight, bias: 0 }) };
}

/** Parameters of the same size, all zero. */
export function zerosLike({ weight }: MetaParameters): MetaParameters {
  return { weight: new Float64Array(weight.length), bias: 0 };
}

/** s = w . d + b */
export function linearScore(
  { weight, bias }: MetaParameters,
  difference: ArrayLike<number>,
): number {
  return weight.reduce((sum, w, i) => sum + w * (difference[i] ?? NaN), bias);
}

/** rho = sigmoid(-s): the better the match, the smaller the weight of distillation (defect D3). */
export function reversedDegree(phi: MetaParameters, difference: ArrayLike<number>): number {
  return 1 / (1 + Math.exp(linearScore(phi, difference)));
}

/** drho/dphi = -rho (1 - rho) [d ; 1], times a factor. */
function rhoGradient(
  phi: MetaParameters,
  difference: ArrayLike<number>,
  factor: number,
): MetaParameters {
  const rho = reversedDegree(phi, difference);
  const bias = -factor * rho * (1 - rho);
  return { weight: phi.weight.map((_, i) => bias * (difference[i] ?? NaN)), bias };
}

/** Distillation loss K and d of the board's last entry at one point theta. */
export interface StudentPoint {
  /** Nats. */
  readonly kd: number;
  /** Student's softmax minus the stored one, `[images * classes]`. */
  readonly difference: ArrayLike<number>;
}

/**
 * Gradient of the student's training loss (rho K + (2 - rho) E) / 2, which trains phi at every step
 * (defect D7): (K - E)/2 drho/dphi.
 *
 * @param point - Its `ce` is the cross-entropy E, nats.
 */
export function leakGradient(
  phi: MetaParameters,
  { kd, ce, difference }: StudentPoint & { readonly ce: number },
): MetaParameters {
  return rhoGradient(phi, difference, (kd - ce) / 2);
}

/** The two points theta + epsilon v and theta - epsilon v of a central difference. */
export interface MetaStencil {
  readonly plus: StudentPoint;
  readonly minus: StudentPoint;
  readonly epsilon: number;
  /** Step size of the simulated student step: the meta network's rate (defect D9). */
  readonly xi: number;
}

/**
 * Gradient of the validation loss after the simulated step theta - xi grad(rho K), with the loss rho K
 * alone (defect D12): -xi (grad_phi(theta + eps v) - grad_phi(theta - eps v)) / (2 eps). No second
 * derivative of the network is taken.
 */
export function metaGradient(
  phi: MetaParameters,
  { plus, minus, epsilon, xi }: MetaStencil,
): MetaParameters {
  const scale = -xi / (2 * epsilon);
  const up = rhoGradient(phi, plus.difference, plus.kd);
  const down = rhoGradient(phi, minus.difference, minus.kd);
  return {
    weight: up.weight.map((w, i) => scale * (w - (down.weight[i] ?? NaN))),
    bias: scale * (up.bias - down.bias),
  };
}

const MAX_GRADIENT_NORM = 1;

/** A meta step's gradient, scaled down to norm 1; that of the training loss never is. */
export function clipGradient(gradient: MetaParameters): MetaParameters {
  const clip = MAX_GRADIENT_NORM / Math.max(metaNorm(gradient), MAX_GRADIENT_NORM);
  return { weight: gradient.weight.map((g) => clip * g), bias: clip * gradient.bias };
}

const MOMENTUM = 0.9;

/** One Nesterov step (momentum 0.9, no decay). */
export function stepMetaNetwork(
  { weight, bias, velocity }: MetaNetwork,
  gradient: MetaParameters,
  lr: number,
): MetaNetwork {
  const accumulate = (v: number, g: number): number => MOMENTUM * v + g;
  const advance = (p: number, v: number, g: number): number => p - lr * (g + MOMENTUM * v);
  const next = {
    weight: velocity.weight.map((v, i) => accumulate(v, gradient.weight[i] ?? NaN)),
    bias: accumulate(velocity.bias, gradient.bias),
  };
  return {
    weight: weight.map((w, i) => advance(w, next.weight[i] ?? NaN, gradient.weight[i] ?? NaN)),
    bias: advance(bias, next.bias, gradient.bias),
    velocity: next,
  };
}
