import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { labelLoss } from '../../src/algorithms/stateless.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { crossEntropyTo, smoothedTargets } from '../../src/supernet/classification.ts';
import { predict } from '../../src/supernet/inference.ts';
import { Statistics } from '../../src/supernet/statistics.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { addGradients, gradientsOf } from '../../src/training/gradients.ts';
import { assertClose } from '../support/close.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinyLearner, tinySupernet } from '../support/tiny.ts';

const batch = tinyBatch(16, 'x');
const paths: readonly Path[] = [[1, 2, 1], [1, 0, 2], [2, 2, 1]]; // prettier-ignore

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
});
beforeEach(() => {
  supernet = tinySupernet(engine);
});
afterEach(() => {
  supernet.dispose();
});

/** Gradients of the label loss as plain numbers, by parameter. */
function numbersOf(path: Path): Map<Parameter, Float32Array> {
  const { gradients } = taken(path);
  const numbers = new Map([...gradients].map(([of, tensor]) => [of, engine.read(tensor).slice()]));
  engine.dispose(gradients.values());
  return numbers;
}

function taken(path: Path) {
  const running = supernet.running.draft();
  const part = gradientsOf(supernet, { path, batch }, lossOf(), running);
  running.dispose();
  return part;
}

function lossOf() {
  return labelLoss(tinyLearner(supernet), batch, 0.1);
}

function momentsOf(statistics: Statistics): Map<string, number[]> {
  return new Map(
    statistics
      .entries()
      .map(([name, { mean, variance }]) => [
        name,
        [...engine.read(mean), ...engine.read(variance)],
      ]),
  );
}

/** Weight of the newest batch in the running statistics: PyTorch's default momentum. */
const NEWEST = 0.1;

describe('gradientsOf', () => {
  it("gives one gradient for each of the path's parameters, of its shape, and no other", () => {
    const part = taken(paths[0]!);
    const parameters = supernet.parametersOf(paths[0]!);
    assert.deepEqual([...part.gradients.keys()], parameters);
    for (const [{ shape }, gradient] of part.gradients) assert.deepEqual(gradient.shape, shape);
    engine.dispose(part.gradients.values());
  });

  it('equals finite differences of the loss', () => {
    const part = numbersOf(paths[0]!);
    const lossAt = (parameter: Parameter, values: Float32Array): number =>
      engine.scope(() => {
        const moved = engine.tensor(values, parameter.shape);
        const weightOf = (each: Parameter): Tensor => (each === parameter ? moved : each.value);
        const images = engine.tensor(batch.images, [16, 8, 8, 3]);
        const logits = supernet.forward(images, paths[0]!, { weightOf });
        const targets = smoothedTargets(batch.labels, 3, 0.1);
        return engine.read(crossEntropyTo(engine, logits, targets));
      })[0]!;
    for (const name of ['head.2/weight', 'head.2/bias', 'head.0/bn/gamma']) {
      const parameter = supernet.parameters.find((each) => each.name === name)!;
      const values = engine.read(parameter.value).slice();
      const moved = (by: number): Float32Array => values.map((v, i) => (i === 1 ? v + by : v));
      const slope = (lossAt(parameter, moved(0.01)) - lossAt(parameter, moved(-0.01))) / 0.02;
      const gradient = part.get(parameter)![1]!;
      assert.ok(Math.abs(slope) > 1e-3, `${name}: a slope that can be measured, ${slope}`);
      assert.ok(
        Math.abs(gradient - slope) < 2e-3 * Math.abs(slope),
        `${name}: ${gradient} for ${slope}`,
      );
    }
  });

  it('changes no weight and no running statistic, and blends the moments into the given ones', () => {
    const weights = supernet.parameters.map(({ value }) => value);
    const running = supernet.running.draft();
    const part = gradientsOf(supernet, { path: paths[0]!, batch }, lossOf(), running);
    engine.dispose(part.gradients.values());
    assert.deepEqual(supernet.parameters.map(({ value }) => value), weights); // prettier-ignore
    assert.ok(supernet.parameters.every(({ slots }) => slots.length === 0));
    assert.deepEqual(supernet.running.entries(), []);
    const whole = new Statistics(engine);
    const normalisation = { by: 'batch', record: { into: whole, factor: 1 } } as const;
    predict(supernet, batch.images, paths[0]!, { normalisation });
    const wanted = momentsOf(whole);
    const blended = momentsOf(running);
    assert.deepEqual([...blended.keys()], [...wanted.keys()]);
    for (const [name, moments] of blended) {
      const half = moments.length / 2; // means, then variances, which start at 1
      const start = (i: number): number => (i < half ? 0 : 1 - NEWEST);
      const added = moments.map((moment, i) => (moment - start(i)) / NEWEST);
      const given = wanted.get(name)!;
      assertClose(added.slice(0, half), given.slice(0, half), 1e-5, `means of ${name}`);
      assertClose(added.slice(half), given.slice(half), 1e-5, `variances of ${name}`);
    }
    whole.dispose();
    running.dispose();
  });
});

describe('addGradients', () => {
  it('gives by parameter the sum over the paths that have it', () => {
    const single = paths.map(numbersOf);
    const parts = paths.map((path) => taken(path).gradients);
    const sums = addGradients(engine, parts);
    const parameters = new Set(paths.flatMap((path) => supernet.parametersOf(path)));
    assert.deepEqual(new Set(sums.keys()), parameters);
    let shared = 0;
    for (const [parameter, sum] of sums) {
      const terms = single.flatMap((numbers) => numbers.get(parameter) ?? []);
      if (terms.length > 1) shared++;
      const wanted = terms[0]!.map((_, i) => terms.reduce((total, term) => total + term[i]!, 0));
      assertClose(engine.read(sum), wanted, 1e-6, parameter.name);
    }
    assert.ok(shared > 5 && shared < parameters.size, 'some parameters are shared, some are not');
    engine.dispose(sums.values());
  });

  it('takes over one part as it is, and leaves nothing of any behind but the sums', () => {
    const tensors = engine.tensorCount();
    const alone = taken(paths[0]!).gradients;
    const same = addGradients(engine, [alone]);
    assert.deepEqual([...same], [...alone]);
    engine.dispose(same.values());
    const sums = addGradients(engine, [...paths, ...paths].map((path) => taken(path).gradients)); // prettier-ignore
    assert.equal(engine.tensorCount(), tensors + sums.size);
    engine.dispose(sums.values());
    assert.deepEqual(addGradients(engine, []), new Map());
  });
});
