import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { adamW, nesterovSgd } from '../../src/engine/optimizer.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinySupernet } from '../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

function parameter(values: readonly number[], decayed: boolean): Parameter {
  const value = engine.keep(engine.tensor(Float32Array.from(values), [values.length]));
  return { name: 'w', shape: [values.length], decayed, value, slots: [] };
}

/** Takes one step and reads the new values. */
function step(w: Parameter, gradient: readonly number[], weightDecay: number): number[] {
  const gradients = [engine.tensor(Float32Array.from(gradient), w.shape)];
  nesterovSgd({ momentum: 0.75, weightDecay }).step(engine, [w], gradients, 0.5);
  return [...engine.read(w.value)];
}

function release(...parameters: Parameter[]): void {
  engine.dispose(parameters.flatMap(({ value, slots }) => [value, ...slots]));
}

describe('nesterovSgd', () => {
  it("equals PyTorch's Nesterov momentum over three steps, without dampening", () => {
    const w = parameter([8, -4], false);
    // v = 2, 2.5, 0.875; w -= 0.5 (g + 0.75 v), all exact in binary.
    assert.deepEqual(step(w, [2, -1], 0), [8 - 1.75, -4 + 0.875]);
    assert.deepEqual(step(w, [1, -0.5], 0), [6.25 - 1.4375, -3.125 + 0.71875]);
    assert.deepEqual(step(w, [-1, 0.5], 0), [4.8125 + 0.171875, -2.40625 - 0.0859375]);
    release(w);
  });

  it('decays weights of two and more dimensions only, through the gradient', () => {
    const [matrix, shift] = [parameter([8], true), parameter([8], false)];
    // g = 2 + 0.25 * 8 = 4, v = 4, w = 8 - 0.5 * 7
    assert.deepEqual(step(matrix, [2], 0.25), [4.5]);
    assert.deepEqual(step(shift, [2], 0.25), [8 - 1.75]);
    release(matrix, shift);
    const supernet = tinySupernet(engine);
    const decayed = supernet.parameters.filter((each) => each.decayed);
    assert.ok(decayed.every(({ name }) => /\/(filter|weight)$/.test(name)));
    const others = supernet.parameters.filter((each) => !each.decayed);
    assert.ok(others.every(({ name }) => /\/(gamma|beta|bias)$/.test(name)));
    supernet.dispose();
  });

  it('keeps a slot with its variable when parameters of equal shapes take turns', () => {
    const [a, b] = [parameter([0], false), parameter([0], false)];
    step(a, [1], 0);
    step(b, [-64], 0);
    step(a, [0], 0);
    step(b, [0], 0);
    // Step 1: -0.5 * 1.75 g; step 2: v = 0.75 g, -0.5 * 0.75 * 0.75 g.
    const travelled = -0.875 - 0.28125;
    assert.equal(engine.read(a.value)[0], travelled);
    assert.equal(engine.read(b.value)[0], -64 * travelled);
    release(a, b);
  });

  it('is a value: it remembers nothing, so that one serves many parameters, and two are alike', () => {
    const [one, other] = [parameter([8], true), parameter([8], true)];
    const [shared, fresh] = [0, 1].map(() => nesterovSgd({ momentum: 0.75, weightDecay: 0.25 }));
    const take = (w: Parameter, gradient: number, optimizer = shared!): void => {
      optimizer.step(engine, [w], [engine.tensor(Float32Array.of(gradient), [1])], 0.5);
    };
    for (const gradient of [2, -1, 3]) take(one, gradient);
    for (const gradient of [2, -1, 3]) take(other, gradient, nesterovSgd({ momentum: 0.75, weightDecay: 0.25 })); // prettier-ignore
    assert.deepEqual(engine.read(other.value), engine.read(one.value));
    assert.deepEqual(fresh!.slots, [{ name: 'velocity', isNumber: false }]);
    assert.equal(one.slots.length, fresh!.slots.length);
    release(one, other);
  });

  it('takes several parameters in one step, each with its own rate of decay and slot', () => {
    const [matrix, shift] = [parameter([8], true), parameter([8, 8], false)];
    const gradients = [
      engine.tensor(Float32Array.of(2), [1]),
      engine.tensor(Float32Array.of(2, 4), [2]),
    ];
    const sgd = nesterovSgd({ momentum: 0.75, weightDecay: 0.25 });
    sgd.step(engine, [matrix, shift], gradients, 0.5);
    assert.deepEqual([...engine.read(matrix.value)], [4.5]);
    assert.deepEqual([...engine.read(shift.value)], [6.25, 4.5]);
    assert.deepEqual([...engine.read(shift.slots[0]!)], [2, 4]);
    release(matrix, shift);
  });

  it('leaves no tensor behind and reuses no disposed one', () => {
    const w = parameter([1], true);
    step(w, [1], 0.5);
    const tensors = engine.tensorCount();
    for (let i = 0; i < 5; i++) step(w, [1], 0.5);
    assert.equal(engine.tensorCount(), tensors);
    release(w);
  });
});

describe('adamW', () => {
  const options = { beta1: 0.9, beta2: 0.99, weightDecay: 0.1 };

  /** The published formulas in double precision, for one number. */
  function reference(start: number, gradients: readonly number[], decay: number): number[] {
    let [w, m, v] = [start, 0, 0];
    return gradients.map((g, i) => {
      const t = i + 1;
      m = 0.9 * m + 0.1 * g;
      v = 0.99 * v + 0.01 * g * g;
      w -= 0.05 * decay * w;
      w -= (0.05 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.99 ** t)) + 1e-8);
      return w;
    });
  }

  function stepWith(w: Parameter, gradient: readonly number[]): number[] {
    const gradients = [engine.tensor(Float32Array.from(gradient), w.shape)];
    adamW(options).step(engine, [w], gradients, 0.05);
    return [...engine.read(w.value)];
  }

  it('follows the published formulas over three steps, decay of weights only', () => {
    const gradients = [0.5, -2, 0.25];
    for (const decayed of [true, false]) {
      const w = parameter([3], decayed);
      const wanted = reference(3, gradients, decayed ? 0.1 : 0);
      gradients.forEach((gradient, i) => {
        const [found = NaN] = stepWith(w, [gradient]);
        assert.ok(Math.abs(found - wanted[i]!) < 1e-5, `step ${i}: ${found}, ${wanted[i]}`);
      });
      release(w);
    }
  });

  it('corrects each parameter by its own steps, however often others were met', () => {
    const [often, seldom] = [parameter([1], false), parameter([1], false)];
    for (let i = 0; i < 5; i++) stepWith(often, [1]);
    // A first step has the length of the rate, whatever the gradient's size.
    assert.ok(Math.abs(stepWith(seldom, [1e-3])[0]! - 0.95) < 1e-4);
    assert.deepEqual([...engine.read(seldom.slots[2]!)], [1]);
    assert.deepEqual([...engine.read(often.slots[2]!)], [5]);
    release(often, seldom);
  });

  it('leaves no tensor behind but the value and its slots', () => {
    const w = parameter([1, 2], false);
    stepWith(w, [1, 1]);
    const before = engine.tensorCount();
    stepWith(w, [1, 1]);
    assert.equal(engine.tensorCount(), before);
    release(w);
  });
});
