import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { cream } from '../../src/algorithms/cream/cream.ts';
import { studentLoss } from '../../src/algorithms/cream/loss.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { assertClose } from '../support/close.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinyEntry, tinyLearner, tinySearch, tinySupernet } from '../support/tiny.ts';

/** One distilled step and all the numbers that it leaves. */
function distilledStep(engine: Engine): Map<string, number[]> {
  const supernet = tinySupernet(engine);
  const batch = tinyBatch(8, 'x', 0);
  const teacher = { entry: tinyEntry([2, 1, 2]), rho: 0.4 };
  const learner = tinyLearner(supernet);
  const lossOf = studentLoss(supernet, batch, teacher, 0.1);
  const trained = learner.gradientsOf([1, 2, 1], batch, lossOf);
  assert.ok(learner.update([trained]));
  learner.dispose();
  const numbers = new Map([['loss', [trained.loss]]]);
  for (const [name, values] of Object.entries(trained.outputs)) numbers.set(name, [...values]);
  const search = tinySearch(cream);
  const state = initialState(supernet, search.algorithm.initialState());
  for (const { name, values } of takeSnapshot(state, search).arrays) {
    numbers.set(name, [...values]);
  }
  supernet.dispose();
  return numbers;
}

it('the pure JavaScript engine takes the same step as the native one', async () => {
  // The native engine first: both share one TensorFlow.js, whose backend the second one changes.
  const native = distilledStep(await nativeEngine());
  const js = await openEngine({ engine: 'js', environment: {} });
  assert.match(js.version, /pure JavaScript/);
  const actual = distilledStep(js);
  assert.deepEqual([...actual.keys()], [...native.keys()]);
  for (const name of ['kd', 'ce']) assert.ok(native.has(name), name);
  assert.ok([...native.keys()].some((name) => name.startsWith('velocity/')));
  for (const [name, wanted] of native) {
    const found = actual.get(name)!;
    // Shifts in front of another batch norm have no gradient, and means behind one are zero, but for
    // rounding.
    const isIdle =
      /\/(project\/bn\/beta|expand\/bn\/mean|head\.0\/bn\/mean)$/.test(name) &&
      [...found, ...wanted].every((value) => Math.abs(value) < 1e-7);
    if (!isIdle) assertClose(found, wanted, 1e-5, name);
  }
});
