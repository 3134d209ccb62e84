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
 * One Nesterov step as PyTorch defines it: g += decay w; v = momentum v + g; w -= lr (g + momentum v).
 * Parameters that are not listed keep their value and velocity. Takes over the gradients.
 */
export function sgdStep(
  engine: Engine,
  parameters: readonly Parameter[],
  gradients: readonly Tensor[],
  { lr, momentum, weightDecay }: SgdOptions,
): void {
  parameters.forEach((parameter, i) => {
    const { value, velocity } = parameter;
    const gradient = gradients[i] as Tensor;
    const { newValue, newVelocity } = engine.scope(() => {
      const g = parameter.decayed ? engine.addScaled(gradient, weightDecay, value) : gradient;
      // The first step starts from a zero buffer: v = g.
      const v =
        velocity === null ? engine.addScaled(g, 0, g) : engine.addScaled(g, momentum, velocity);
      const step = engine.addScaled(g, momentum, v);
      return { newValue: engine.addScaled(value, -lr, step), newVelocity: v };
    });
    engine.dispose([value, gradient, ...(velocity === null ? [] : [velocity])]);
    parameter.value = engine.keep(newValue);
    parameter.velocity = engine.keep(newVelocity);
  });
}
