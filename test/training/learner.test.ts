import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { labelLoss } from '../../src/algorithms/stateless.ts';
import { spos } from '../../src/algorithms/spos/spos.ts';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { nesterovSgd } from '../../src/engine/optimizer.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { crossEntropyTo, smoothedTargets } from '../../src/supernet/classification.ts';
import { predict } from '../../src/supernet/inference.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { assertClose } from '../support/close.ts';
import { nativeEngine } from '../support/engine.ts';
import {
  spoiled,
  tinyBatch,
  tinyHeldOut,
  tinyLearner,
  tinySearch,
  tinySpace,
  tinySupernet,
  trainPath,
} from '../support/tiny.ts';

const path = [1, 2, 1];
const batch = tinyBatch(16, 'x', 0);

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** Every weight, optimizer slot and running statistic, bit for bit. */
function everything(of: Supernet) {
  const { algorithm, plan } = tinySearch(spos);
  const state = initialState(of, algorithm.initialState());
  return structuredClone(takeSnapshot(state, { algorithm, plan }).arrays);
}

/** Values and slots of parameters. */
function numbersOf(parameters: readonly Parameter[]) {
  return parameters.map(({ name, value, slots }) => ({
    name,
    value: engine.read(value).slice(),
    slots: slots.map((slot) => engine.read(slot).slice()),
  }));
}

/** Moments of the batch norms whose names match. */
function runningOf({ running }: Supernet, names: RegExp) {
  return running
    .entries()
    .filter(([name]) => names.test(name))
    .map(([name, { mean, variance }]) => [
      name,
      engine.read(mean).slice(),
      engine.read(variance).slice(),
    ]);
}

describe('a step of one path', () => {
  let supernet: Supernet;
  before(() => {
    supernet = tinySupernet(engine);
  });
  after(() => {
    supernet.dispose();
  });

  it('learns: the loss of one path falls over 40 steps', () => {
    const student = tinySupernet(engine);
    const losses = Array.from({ length: 40 }, (_, step) =>
      trainPath(student, path, tinyBatch(16, 'x', step))!,
    );
    const mean = (part: number[]): number => part.reduce((a, b) => a + b) / part.length;
    assert.ok(mean(losses.slice(-5)) < mean(losses.slice(0, 5)) - 0.2, losses.join(' '));
    student.dispose();
  });

  it('adds exactly the tensors that the supernet says it owns', () => {
    const other = tinySupernet(engine);
    const beside = engine.tensorCount() - other.tensorCount();
    trainPath(other, path, batch);
    assert.ok(other.tensorCount() > other.parameters.length);
    assert.equal(engine.tensorCount() - other.tensorCount(), beside);
    other.dispose();
  });

  it('leaves parameters, momentum and statistics of untouched candidates bit for bit', () => {
    const resting = [0, 2, 2];
    const train = (of: Path, step: number) => trainPath(supernet, of, tinyBatch(16, 'x', step));
    for (let step = 0; step < 3; step++) train(resting, step);
    const used = new Set([[1, 1, 1], [1, 1, 0]].flatMap((p) => supernet.parametersOf(p))); // prettier-ignore
    const untouched = supernet.parametersOf(resting).filter((parameter) => !used.has(parameter));
    const running = () => runningOf(supernet, /^(b|c)\/mb3_k5/);
    const earlier = { parameters: numbersOf(untouched), running: running() };
    assert.ok(earlier.parameters.length > 10 && earlier.running.length > 3);
    assert.ok(earlier.parameters.every(({ slots }) => slots.length === 1));
    const all = numbersOf(supernet.parameters);
    for (let step = 0; step < 10; step++) train(step % 2 === 0 ? [1, 1, 1] : [1, 1, 0], step);
    assert.deepEqual({ parameters: numbersOf(untouched), running: running() }, earlier);
    assert.notDeepEqual(numbersOf(supernet.parameters), all, 'the sampled ones did move');
  });
});

describe('an update with the gradients of several paths', () => {
  const paths: readonly Path[] = [[1, 2, 1], [1, 0, 2]]; // prettier-ignore
  let supernet: Supernet;

  beforeEach(() => {
    supernet = tinySupernet(engine);
  });
  afterEach(() => {
    supernet.dispose();
  });

  function updateWith(of: Supernet, trained: readonly Path[]): void {
    const learner = tinyLearner(of, { optimizer: nesterovSgd({ momentum: 0, weightDecay: 0 }) });
    const lossOf = labelLoss(learner, batch, 0.1);
    assert.ok(learner.update(trained.map((each) => learner.gradientsOf(each, batch, lossOf))));
    learner.dispose();
  }

  /** How far each parameter was moved. */
  function movement(trained: readonly Path[]): Map<string, Float32Array> {
    const other = tinySupernet(engine);
    const start = numbersOf(other.parameters);
    updateWith(other, trained);
    const moved = numbersOf(other.parameters).map(({ name, value }, i): [string, Float32Array] => [
      name,
      value.map((each, k) => each - start[i]!.value[k]!),
    ]);
    other.dispose();
    return new Map(moved);
  }

  it('moves every parameter by the sum of what each path alone would move it by', () => {
    const [one, two] = paths.map((each) => movement([each]));
    const both = movement(paths);
    for (const [name, moved] of both) {
      const wanted = one!.get(name)!.map((each, i) => each + two!.get(name)![i]!);
      // Both are differences of weights near 1, in float32.
      assertClose(moved, wanted, 1e-3, name);
    }
    assert.ok(both.get('stem.0/filter')!.some((each) => Math.abs(each) > 1e-4));
  });

  it('steps the parameters of these paths and no others, each once', () => {
    const used = new Set(paths.flatMap((each) => supernet.parametersOf(each)));
    const others = supernet.parameters.filter((parameter) => !used.has(parameter));
    assert.ok(used.size > 20 && others.length > 20);
    const resting = numbersOf(others);
    updateWith(supernet, paths);
    assert.deepEqual(numbersOf(others), resting);
    assert.ok([...used].every(({ slots }) => slots.length === 1));
    assert.ok(others.every(({ slots }) => slots.length === 0));
  });

  it('lets the running statistics of shared batch norms see every path, in order', () => {
    updateWith(supernet, paths);
    const shared = /^(stem|head|a\/mb2)/;
    const together = runningOf(supernet, shared);
    // The same two passes at the same weights, one blended after the other.
    const passes = tinySupernet(engine);
    for (const each of paths) {
      const record = { into: passes.running, factor: 0.1 };
      predict(passes, batch.images, each, { normalisation: { by: 'batch', record } });
    }
    const wanted = runningOf(passes, shared);
    assert.ok(wanted.length >= 5);
    assert.deepEqual(together, wanted);
    const single = tinySupernet(engine);
    updateWith(single, [paths[0]!]);
    assert.notDeepEqual(runningOf(single, shared), wanted, 'one path alone leaves others');
    passes.dispose();
    single.dispose();
  });

  it('changes nothing where the loss of one of them is not finite', () => {
    const earlier = everything(supernet);
    const tensors = engine.tensorCount();
    const learner = tinyLearner(supernet);
    const lossOf = labelLoss(learner, batch, 0.1);
    const [good, bad] = [batch, spoiled(batch)].map((each) =>
      learner.gradientsOf(path, each, lossOf),
    );
    assert.equal(learner.update([good!, bad!]), false);
    learner.dispose();
    assert.deepEqual(everything(supernet), earlier);
    assert.equal(engine.tensorCount(), tensors);
  });

  it('that was refused leaves nothing of itself in a later one of the same step', () => {
    const tried = tinyLearner(supernet);
    const train = (learner: typeof tried, each: Batch): boolean =>
      learner.update([learner.gradientsOf(path, each, labelLoss(learner, batch, 0.1))]);
    assert.equal(train(tried, spoiled(batch)), false);
    assert.equal(train(tried, batch), true);
    tried.dispose();
    const untried = tinySupernet(engine);
    const learner = tinyLearner(untried);
    train(learner, batch);
    learner.dispose();
    assert.deepEqual(everything(supernet), everything(untried));
    untried.dispose();
  });
});

describe('a learner', () => {
  it('makes nothing of gradients that no update used, when it is disposed of', () => {
    const supernet = tinySupernet(engine);
    const earlier = everything(supernet);
    const tensors = engine.tensorCount();
    const learner = tinyLearner(supernet);
    learner.gradientsOf(path, batch, labelLoss(learner, batch, 0.1));
    learner.gradientsOf([0, 0, 2], batch, labelLoss(learner, batch, 0.1));
    assert.ok(engine.tensorCount() > tensors);
    learner.dispose();
    learner.dispose();
    assert.equal(engine.tensorCount(), tensors);
    assert.deepEqual(everything(supernet), earlier);
    supernet.dispose();
  });

  it('evaluates a path by the batch, leaves everything alone, and adds up the time', () => {
    const supernet = tinySupernet(engine);
    const earlier = everything(supernet);
    let time = 0;
    const learner = tinyLearner(supernet, { clock: () => (time += 7) });
    const { board } = tinyHeldOut;
    const probabilities = learner.evaluate(path, board);
    assert.deepEqual(probabilities, predict(supernet, board.images, path));
    learner.evaluate(path, board);
    assert.equal(learner.evaluationMs, 14);
    learner.dispose();
    assert.deepEqual(everything(supernet), earlier);
    supernet.dispose();
  });
});

describe('a step whose numbers are not finite changes nothing', () => {
  let student: Supernet;

  beforeEach(() => {
    student = tinySupernet(engine);
  });
  afterEach(() => {
    student.dispose();
  });

  /** Takes the step and compares. */
  function assertSkipped(of: Supernet, bad = batch): void {
    const earlier = everything(of);
    const tensors = engine.tensorCount();
    assert.equal(trainPath(of, path, bad), null);
    assert.deepEqual(everything(of), earlier);
    assert.equal(engine.tensorCount(), tensors);
  }

  /** Puts other values into the last or the last but one parameter: the classifier's. */
  function overwrite(at: -1 | -2, values: (i: number) => number): void {
    const parameter = student.parameters.at(at)!;
    engine.dispose([parameter.value]);
    const numbers = new Float32Array(parameter.value.size).map((_, i) => values(i));
    parameter.value = engine.keep(engine.tensor(numbers, parameter.shape));
  }

  function lossOf(): number {
    return engine.scope(() => {
      const images = engine.tensor(batch.images, [16, 8, 8, 3]);
      const targets = smoothedTargets(batch.labels, 3, 0.1);
      return engine.read(crossEntropyTo(engine, student.forward(images, path), targets));
    })[0]!;
  }

  for (const bad of [NaN, Infinity, -Infinity]) {
    it(`where an image has ${bad} in it, in the first step and in a later one`, () => {
      const images = batch.images.slice();
      images[5] = bad;
      assertSkipped(student, { ...batch, images });
      assert.notEqual(trainPath(student, path, batch), null);
      assertSkipped(student, { ...batch, images });
    });
  }

  it('where the loss is infinite', () => {
    overwrite(-1, (i) => [3e38, -3e38, 0][i]!);
    assert.equal(lossOf(), Infinity);
    assertSkipped(student);
  });

  it('where a gradient overflows while the loss is finite', () => {
    overwrite(-2, (i) => (i % 3 === 0 ? 1e30 : 0));
    assert.ok(Number.isFinite(lossOf()));
    assertSkipped(student);
  });

  for (const bad of [NaN, Infinity, -Infinity]) {
    it(`where one ${bad} is in the gradient of one parameter`, () => {
      const damaged = (tensor: Tensor): Tensor => {
        const values = engine.read(tensor).slice();
        values[values.length - 1] = bad;
        engine.dispose([tensor]);
        return engine.tensor(values, tensor.shape);
      };
      const differentiate: Engine['differentiate'] = (variables, forward) => {
        const result = engine.differentiate(variables, forward);
        const gradients = result.gradients.map((gradient, i) =>
          i === 7 ? damaged(gradient) : gradient,
        );
        return { ...result, gradients };
      };
      const other = new Supernet({ ...engine, differentiate }, tinySpace, 1);
      assertSkipped(other);
      other.dispose();
    });
  }

  it('so that the steps after it are those of a search that never met it', () => {
    const untouched = tinySupernet(engine);
    const met = [batch, spoiled(batch), spoiled(batch), batch].map(
      (each) => trainPath(student, path, each) !== null,
    );
    assert.deepEqual(met, [true, false, false, true]);
    trainPath(untouched, path, batch);
    trainPath(untouched, path, batch);
    assert.deepEqual(everything(student), everything(untouched));
    untouched.dispose();
  });
});
