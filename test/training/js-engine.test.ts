import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { predict, trainStudent } from '../../src/training/student.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinyPlan, tinySupernet, trainingSettings } from '../support/tiny.ts';

/** One distilled step and all the numbers that it leaves. */
function distilledStep(engine: Engine): Map<string, number[]> {
  const supernet = tinySupernet(engine);
  const batch = tinyBatch(8, 'x', 0);
  const path = [1, 2, 1];
  const lesson = { probabilities: predict(supernet, batch.images, [2, 1, 2]), rho: 0.4 };
  const result = trainStudent(supernet, { path, batch, lesson }, trainingSettings)!;
  const numbers = new Map([
    ['loss', [result.loss, result.kd!, result.accuracy]],
    ['probabilities', [...result.probabilities]],
  ]);
  for (const { name, values } of takeSnapshot(initialState(supernet, tinyPlan())).arrays) {
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
  assert.ok([...native.keys()].some((name) => name.startsWith('velocity/')));
  for (const [name, wanted] of native) {
    wanted.forEach((value, i) => {
      const found = actual.get(name)![i]!;
      assert.ok(Math.abs(found - value) <= 1e-4, `${name}[${i}]: ${found} for ${value}`);
    });
  }
});
