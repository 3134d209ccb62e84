import type { Engine } from './engine.ts';
import type { Tensor } from './ops.ts';
import type { Parameter } from './parameter.ts';

/** A rule that turns gradients into new values. A value itself: what it remembers is in the parameters. */
export interface Optimizer {
  /** The tensors that it keeps for each parameter. */
  readonly slots: readonly OptimizerSlot[];
  /**
   * One step at a learning rate. Parameters that are not listed keep their value and slots. Takes
   * over the gradients.
   */
  step(
    engine: Engine,
    parameters: readonly Parameter[],
    gradients: readonly Tensor[],
    lr: number,
  ): void;
  /** The tensor that paths are scored with: the value, or an average of it. The parameter owns it. */
  readonly weightOf: (parameter: Parameter) => Tensor;
}

/** One tensor that an optimizer keeps for a parameter. */
export interface OptimizerSlot {
  readonly name: string;
  /** Whether it is one number, `[1]`, and not of the parameter's shape. */
  readonly isNumber: boolean;
}

/** Numbers of stochastic gradient descent. */
export interface SgdOptions {
  /** Nesterov momentum in [0, 1). */
  readonly momentum: number;
  /** L2 penalty of the decayed parameters. */
  readonly weightDecay: number;
}

/** Stochastic gradient descent as `Ops.nesterov` takes it, from a velocity of zero. */
export function nesterovSgd({ momentum, weightDecay }: SgdOptions): Optimizer {
  return {
    slots: [{ name: 'velocity', isNumber: false }],
    weightOf: ({ value }) => value,
    step: (engine, parameters, gradients, lr) => {
      const states = parameters.map(({ shape, value, slots, decayed }, i) => ({
        value,
        velocity: slots[0] ?? engine.tensor(new Float32Array(value.size), shape),
        gradient: gradients[i] as Tensor,
        decay: decayed ? weightDecay : 0,
      }));
      engine.scope(() => {
        engine.ops.nesterov(states, { lr, momentum }).forEach((next, i) => {
          const parameter = parameters[i] as Parameter;
          parameter.value = engine.keep(next.value);
          parameter.slots = [engine.keep(next.velocity)];
        });
      });
      engine.dispose(
        states.flatMap(({ value, velocity, gradient }) => [value, velocity, gradient]),
      );
    },
  };
}

/** Numbers of AdamW. */
export interface AdamOptions {
  /** Decay of the mean gradient, in [0, 1). */
  readonly beta1: number;
  /** Decay of the mean squared gradient, in [0, 1). */
  readonly beta2: number;
  /** Decoupled decay of the decayed parameters. */
  readonly weightDecay: number;
}

/**
 * Adam with decoupled weight decay, as PyTorch defines it, epsilon 1e-8. Each parameter counts its own
 * steps: a candidate is not met at every step, and its means have to be corrected by those it has seen.
 *
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019).
 */
export function adamW({ beta1, beta2, weightDecay }: AdamOptions): Optimizer {
  return {
    slots: [
      { name: 'mean', isNumber: false },
      { name: 'square', isNumber: false },
      { name: 'steps', isNumber: true },
    ],
    weightOf: ({ value }) => value,
    step: (engine, parameters, gradients, lr) => {
      parameters.forEach((parameter, i) => {
        const gradient = gradients[i] as Tensor;
        const { value, shape, decayed } = parameter;
        const zeros = (): Tensor => engine.tensor(new Float32Array(value.size), shape);
        const [mean = zeros(), square = zeros(), taken] = parameter.slots;
        const steps = 1 + (taken === undefined ? 0 : (engine.read(taken)[0] ?? 0));
        const state = { value, mean, square, gradient, decay: decayed ? weightDecay : 0, steps };
        engine.scope(() => {
          const next = engine.ops.adamW(state, { lr, beta1, beta2 });
          parameter.value = engine.keep(next.value);
          const count = engine.tensor(Float32Array.of(steps), [1]);
          parameter.slots = [next.mean, next.square, count].map((slot) => engine.keep(slot));
        });
        engine.dispose([value, mean, square, gradient, ...(taken === undefined ? [] : [taken])]);
      });
    },
  };
}
