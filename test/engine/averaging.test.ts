import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { averaging } from '../../src/engine/averaging.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { adamW, nesterovSgd, type Optimizer } from '../../src/engine/optimizer.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import { nativeEngine } from '../support/engine.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** Its values are the sums of what it is stepped by. */
const plain = nesterovSgd({ momentum: 0, weightDecay: 0 });

function parameter(start: number): Parameter {
  const value = engine.keep(engine.tensor(Float32Array.of(start, -start), [2]));
  return { name: 'w', shape: [2], decayed: false, value, slots: [] };
}

/** Adds numbers to the value, one step each; the averages afterwards. */
function walk(w: Parameter, rule: Optimizer, moves: readonly number[]): number[] {
  return moves.map((move) => {
    rule.step(engine, [w], [engine.tensor(Float32Array.of(-move, move), [2])], 1);
    const [first, second] = engine.read(rule.weightOf(w));
    assert.equal(second, -first!);
    return first!;
  });
}

function release(...parameters: Parameter[]): void {
  engine.dispose(parameters.flatMap(({ value, slots }) => [value, ...slots]));
}

describe('an average of the weights', () => {
  it('over all updates is their plain mean, without the start', () => {
    const w = parameter(8);
    // Values 12, 16, 8, 4.
    assert.deepEqual(walk(w, averaging(plain, 1), [4, 4, -8, -4]), [12, 14, 12, 10]);
    assert.deepEqual([...engine.read(w.value)], [4, -4]);
    release(w);
  });

  it('over a share of them follows the polynomial decay of Shamir and Zhang', () => {
    const share = 0.25;
    const eta = 1 / share - 1;
    const moves = Array.from({ length: 40 }, (_, i) => Math.cos(i));
    const w = parameter(1);
    const averages = walk(w, averaging(plain, share), moves);
    let [value, average] = [1, 0];
    moves.forEach((move, i) => {
      value += move;
      const weight = (eta + 1) / (i + 1 + eta);
      average = (1 - weight) * average + weight * value;
      assert.ok(Math.abs(averages[i]! - average) < 1e-5, `update ${i}`);
    });
    release(w);
  });

  it('lags behind by the same part of any number of updates', () => {
    for (const updates of [50, 500]) {
      const w = parameter(0);
      const last = walk(w, averaging(plain, 0.25), new Array<number>(updates).fill(1)).at(-1)!;
      const lag = (updates - last) / updates;
      assert.ok(Math.abs(lag - 0.2) < 0.02, `${lag} of ${updates} updates`);
      release(w);
    }
  });

  it('is that of the own updates of a parameter: others leave it bit for bit', () => {
    const rule = averaging(plain, 0.5);
    const [often, seldom] = [parameter(1), parameter(1)];
    walk(seldom, rule, [1, 2]);
    const earlier = seldom.slots.map((slot) => engine.read(slot).slice());
    walk(often, rule, [1, 1, 1, 1, 1]);
    assert.deepEqual(seldom.slots.map((slot) => engine.read(slot)), earlier); // prettier-ignore
    const again = parameter(1);
    assert.deepEqual(walk(seldom, rule, [3]), walk(again, rule, [1, 2, 3]).slice(-1));
    release(often, seldom, again);
  });

  it('is the value where there was no update', () => {
    const w = parameter(3);
    assert.equal(averaging(plain, 0.5).weightOf(w), w.value);
    release(w);
  });

  it('changes no step of the optimizer that it follows, and names its slots after its own', () => {
    for (const rule of [
      nesterovSgd({ momentum: 0.9, weightDecay: 0.1 }),
      adamW({ beta1: 0.9, beta2: 0.99, weightDecay: 0.1 }),
    ]) {
      const both = averaging(rule, 0.1);
      const names = both.slots.map(({ name }) => name);
      assert.deepEqual(names, [...rule.slots.map(({ name }) => name), 'average', 'averaged']);
      const [alone, averaged] = [parameter(2), parameter(2)];
      walk(alone, rule, [1, -2, 3]);
      walk(averaged, both, [1, -2, 3]);
      const read = ({ value, slots }: Parameter) =>
        [value, ...slots.slice(0, rule.slots.length)].map((each) => engine.read(each));
      assert.deepEqual(read(averaged), read(alone));
      assert.equal(averaged.slots.length, names.length);
      release(alone, averaged);
    }
  });

  it('leaves no tensor behind', () => {
    const rule = averaging(adamW({ beta1: 0.9, beta2: 0.99, weightDecay: 0 }), 0.1);
    const w = parameter(1);
    walk(w, rule, [1]);
    const tensors = engine.tensorCount();
    walk(w, rule, [1, 1, 1]);
    assert.equal(engine.tensorCount(), tensors);
    release(w);
  });
});
