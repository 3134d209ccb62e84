import type { Engine } from './engine.ts';
import type { Tensor } from './ops.ts';
import type { Parameter } from './parameter.ts';

/** A rule that turns gradients into new values. A value itself: what it remembers is in the parameters. */
export interface Optimizer {
  /** Names of the tensors that it keeps for each parameter, each of the parameter's shape. */
  readonly slots: readonly string[];
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
    slots: ['velocity'],
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
