import type { Engine } from './engine.ts';
import type { Tensor } from './ops.ts';
import type { Optimizer } from './optimizer.ts';

/** Name of the slot that holds the average of a parameter's values. */
export const AVERAGE = 'average';

/**
 * An optimizer that also keeps an average of the values of each parameter, and the number of updates in
 * it, as slots after its own. Training goes on with the values; paths are scored with the averages. Only
 * an update of a parameter changes its average, so that a candidate's looks back on the candidate's own
 * updates, however seldom it is trained and however long the run is.
 *
 * The value after update t enters with the weight 1 / (1 + share (t - 1)), the polynomial decay of Shamir
 * and Zhang with eta = 1 / share - 1: what is in the average is older than the newest value by
 * share / (1 + share) of all updates, in the mean.
 *
 * @param share - Part of the updates that the average looks back on, in (0, 1]; 1 is the plain mean.
 * @see Shamir and Zhang, "Stochastic Gradient Descent for Non-smooth Optimization" (ICML 2013).
 */
export function averaging(rule: Optimizer, share: number): Optimizer {
  const own = rule.slots.length;
  return {
    slots: [
      ...rule.slots,
      { name: AVERAGE, isNumber: false },
      { name: 'averaged', isNumber: true },
    ],
    weightOf: ({ value, slots }) => slots[own] ?? value,
    step: (engine, parameters, gradients, lr) => {
      const earlier = parameters.map(({ slots }) => slots.slice(own));
      for (const parameter of parameters) parameter.slots = parameter.slots.slice(0, own);
      rule.step(engine, parameters, gradients, lr);
      parameters.forEach((parameter, i) => {
        const [average, count] = earlier[i] ?? [];
        const updates = 1 + (count === undefined ? 0 : (engine.read(count)[0] ?? 0));
        const factor = 1 / (1 + share * (updates - 1));
        const next = [
          blend(engine, average ?? parameter.value, factor, parameter.value),
          engine.keep(engine.tensor(Float32Array.of(updates), [1])),
        ];
        engine.dispose(earlier[i] ?? []);
        parameter.slots = [...parameter.slots, ...next];
      });
    },
  };
}

/** a + factor (b - a). The caller owns it. */
function blend(engine: Engine, a: Tensor, factor: number, b: Tensor): Tensor {
  return engine.scope(() => engine.keep(engine.addScaled(a, factor, engine.math.subtract(b, a))));
}
