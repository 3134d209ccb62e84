import type { Engine } from './engine.ts';
import type { Tensor } from './ops.ts';

/** One trained tensor together with its optimizer slot: the slot can belong to nothing else. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether weight decay applies: weights of two and more dimensions only. */
  readonly decayed: boolean;
  /** Never changed in place: an update puts a new tensor here. Owned by the parameter. */
  value: Tensor;
  /** Momentum buffer; null until the first step that trains this parameter. */
  velocity: Tensor | null;
}

/** Numbers of one stochastic gradient step. */
export interface SgdOptions {
  readonly lr: number;
  /** Nesterov momentum in [0, 1). */
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * One step of `Ops.nesterov`, from a momentum buffer of zeros the first time. Parameters that
 * are not listed keep their value and velocity. Takes over the gradients.
 */
export function sgdStep(
  engine: Engine,
  parameters: readonly Parameter[],
  gradients: readonly Tensor[],
  { lr, momentum, weightDecay }: SgdOptions,
): void {
  const states = parameters.map(({ shape, value, velocity, decayed }, i) => ({
    value,
    velocity: velocity ?? engine.tensor(new Float32Array(value.size), shape),
    gradient: gradients[i] as Tensor,
    decay: decayed ? weightDecay : 0,
  }));
  engine.scope(() => {
    engine.ops.nesterov(states, { lr, momentum }).forEach((next, i) => {
      const parameter = parameters[i] as Parameter;
      parameter.value = engine.keep(next.value);
      parameter.velocity = engine.keep(next.velocity);
    });
  });
  engine.dispose(states.flatMap(({ value, velocity, gradient }) => [value, velocity, gradient]));
}
