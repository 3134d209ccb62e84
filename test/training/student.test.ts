import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import { sgdStep } from '../../src/engine/parameter.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { accuracyOf, smoothedTargets } from '../../src/training/losses.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { lossTo, predict, trainStudent, type Lesson } from '../../src/training/student.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinyPlan, tinySpace, tinySupernet, trainingSettings } from '../support/tiny.ts';

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

function train(path: Path, step: number, lesson: Lesson | null = null) {
  return trainStudent(
    supernet,
    { path, batch: tinyBatch(16, 'x', step), lesson },
    trainingSettings,
  )!;
}

/** Values and velocities of the parameters that only `path` uses among `paths`. */
function snapshot(parameters: readonly Parameter[]) {
  return parameters.map(({ name, value, velocity }) => ({
    name,
    value: engine.read(value).slice(),
    velocity: velocity === null ? null : engine.read(velocity).slice(),
  }));
}

function logSoftmax(row: readonly number[]): number[] {
  const logSum = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
  return row.map((z) => z - logSum);
}

describe('losses', () => {
  it('case 10: smoothed targets, KD, CE and (rho KD + (2 - rho) CE) / 2 equal hand-made numbers', () => {
    // Row 1: logits ln(1, 2, 5), so the softmax is 1/8, 2/8, 5/8; row 2 is uniform.
    const logits = engine.tensor(
      Float32Array.of(0, Math.log(2), Math.log(5), 1, 1, 1),
      [2, 3], // prettier-ignore
    );
    const labels = [2, 0];
    const targets = smoothedTargets(labels, 3, 0.3);
    const wantedTargets = [0.1, 0.1, 0.8, 0.8, 0.1, 0.1];
    targets.forEach((target, i) => {
      assert.ok(Math.abs(target - wantedTargets[i]!) < 1e-7);
    });
    const teacher = Float32Array.of(0.5, 0.25, 0.25, 1, 0, 0);
    const wantedCe =
      (-(0.1 * Math.log(1 / 8) + 0.1 * Math.log(1 / 4) + 0.8 * Math.log(5 / 8)) + Math.log(3)) / 2;
    const wantedKd =
      (-(0.5 * Math.log(1 / 8) + 0.25 * Math.log(1 / 4) + 0.25 * Math.log(5 / 8)) + Math.log(3)) /
      2;
    const { ce, kd, blend } = engine.scope(() => {
      const ceLoss = engine.ops.softCrossEntropy(logits, engine.tensor(targets, [2, 3]));
      const kdLoss = engine.ops.softCrossEntropy(logits, engine.tensor(teacher, [2, 3]));
      return {
        ce: engine.read(ceLoss)[0]!,
        kd: engine.read(kdLoss)[0]!,
        blend: engine.read(engine.blend(0.25, kdLoss, ceLoss))[0]!,
      };
    });
    assert.ok(Math.abs(ce - wantedCe) < 1e-6);
    assert.ok(Math.abs(kd - wantedKd) < 1e-6);
    assert.ok(Math.abs(blend - (0.25 * wantedKd + 1.75 * wantedCe) / 2) < 1e-6);
    engine.dispose([logits]);
  });

  it('accuracy is the share of rows whose largest score stands at the label', () => {
    const scores = Float32Array.of(0.1, 0.9, 0.8, 0.2, 0.3, 0.7, 0.5, 0.5);
    assert.equal(accuracyOf(scores, [1, 0, 0, 0]), 0.75);
  });

  it('R8: a row without a number is no hit, whatever its label', () => {
    const scores = Float32Array.of(NaN, NaN, 0.8, 0.2, NaN, NaN);
    assert.equal(accuracyOf(scores, [0, 0, 1]), 1 / 3);
  });
});

describe('trainStudent', () => {
  const path = [1, 2, 1];

  it('case 10: reports the loss of a lesson as computed by hand from its own logits', () => {
    const batch = tinyBatch(16, 'x', 0);
    const teacher = predict(supernet, batch.images, [2, 1, 2]);
    const images = engine.tensor(batch.images, [16, 8, 8, 3]);
    const output = supernet.forward(images, path);
    const logits = engine.read(output).slice();
    engine.dispose([images, output]);
    const targets = smoothedTargets(batch.labels, 3, 0.1);
    let [kd, ce] = [0, 0];
    for (let row = 0; row < 16; row++) {
      logSoftmax([...logits.slice(3 * row, 3 * row + 3)]).forEach((logP, k) => {
        kd -= (teacher[3 * row + k]! * logP) / 16;
        ce -= (targets[3 * row + k]! * logP) / 16;
      });
    }
    const result = train(path, 0, { probabilities: teacher, rho: 0.3 });
    assert.ok(Math.abs(result.kd! - kd) < 1e-5);
    assert.ok(Math.abs(result.loss - (0.3 * kd + 1.7 * ce) / 2) < 1e-5);
    assert.equal(result.accuracy, accuracyOf(logits, batch.labels));
    const alone = tinySupernet(engine);
    const first = trainStudent(alone, { path, batch, lesson: null }, trainingSettings)!;
    assert.equal(first.kd, null);
    assert.ok(Math.abs(first.loss - ce) < 1e-5);
    alone.dispose();
  });

  it('learns: the loss of one path falls over 40 steps', () => {
    const student = tinySupernet(engine);
    const losses = Array.from({ length: 40 }, (_, step) => {
      const batch = tinyBatch(16, 'x', step);
      return trainStudent(student, { path, batch, lesson: null }, trainingSettings)!.loss;
    });
    const mean = (part: number[]): number => part.reduce((a, b) => a + b) / part.length;
    assert.ok(mean(losses.slice(-5)) < mean(losses.slice(0, 5)) - 0.2, losses.join(' '));
    student.dispose();
  });

  it('R18: a step adds exactly the tensors that the supernet says it owns', () => {
    const other = tinySupernet(engine);
    const beside = engine.tensorCount() - other.tensorCount();
    trainStudent(other, { path, batch: tinyBatch(16, 'x', 0), lesson: null }, trainingSettings);
    assert.ok(other.tensorCount() > other.parameters.length);
    assert.equal(engine.tensorCount() - other.tensorCount(), beside);
    other.dispose();
  });

  it('case 13: parameters, momentum and statistics of untouched candidates stay bit for bit', () => {
    const resting = [0, 2, 2];
    for (let step = 0; step < 3; step++) train(resting, step);
    const used = new Set([[1, 1, 1], [1, 1, 0]].flatMap((p) => supernet.parametersOf(p))); // prettier-ignore
    const untouched = supernet.parametersOf(resting).filter((parameter) => !used.has(parameter));
    const isOfUntouched = (name: string): boolean => /^(b|c)\/mb3_k5/.test(name);
    const running = () =>
      supernet.running
        .entries()
        .filter(([name]) => isOfUntouched(name))
        .map(([name, { mean, variance }]) => [name, engine.read(mean).slice(), engine.read(variance).slice()]); // prettier-ignore
    const earlier = { parameters: snapshot(untouched), running: running() };
    assert.ok(earlier.parameters.length > 10 && earlier.running.length > 3);
    assert.ok(earlier.parameters.every(({ velocity }) => velocity !== null));
    const all = snapshot(supernet.parameters);
    for (let step = 0; step < 10; step++) train(step % 2 === 0 ? [1, 1, 1] : [1, 1, 0], step);
    assert.deepEqual({ parameters: snapshot(untouched), running: running() }, earlier);
    assert.notDeepEqual(snapshot(supernet.parameters), all, 'the sampled ones did move');
  });
});

describe('R8: a step whose numbers are not finite changes nothing', () => {
  const path = [1, 2, 1];
  const batch = tinyBatch(16, 'x', 0);
  let student: Supernet;

  beforeEach(() => {
    student = tinySupernet(engine);
  });
  afterEach(() => {
    student.dispose();
  });

  /** Every weight, optimizer slot and running statistic, bit for bit. */
  function everything(of: Supernet) {
    return structuredClone(takeSnapshot(initialState(of, tinyPlan())).arrays);
  }

  /** Takes the step and compares. */
  function assertSkipped(of: Supernet, bad = batch): void {
    const earlier = everything(of);
    const tensors = engine.tensorCount();
    assert.equal(trainStudent(of, { path, batch: bad, lesson: null }, trainingSettings), null);
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
      const targets = smoothedTargets(batch.labels, 3, trainingSettings.labelSmoothing);
      return engine.read(lossTo(engine, student.forward(images, path), targets))[0]!;
    });
  }

  for (const bad of [NaN, Infinity, -Infinity]) {
    it(`R8: an image with ${bad} in it, in the first step and in a later one`, () => {
      const images = batch.images.slice();
      images[5] = bad;
      assertSkipped(student, { ...batch, images });
      assert.notEqual(trainStudent(student, { path, batch, lesson: null }, trainingSettings), null);
      assertSkipped(student, { ...batch, images });
    });
  }

  it('R8: a loss that is infinite', () => {
    overwrite(-1, (i) => [3e38, -3e38, 0][i]!);
    assert.equal(lossOf(), Infinity);
    assertSkipped(student);
  });

  it('R8: a gradient that overflows while the loss is finite', () => {
    overwrite(-2, (i) => (i % 3 === 0 ? 1e30 : 0));
    assert.ok(Number.isFinite(lossOf()));
    assertSkipped(student);
  });

  for (const bad of [NaN, Infinity, -Infinity]) {
    it(`R8: one ${bad} in the gradient of one parameter`, () => {
      const spoiled = (tensor: Tensor): Tensor => {
        const values = engine.read(tensor).slice();
        values[values.length - 1] = bad;
        engine.dispose([tensor]);
        return engine.tensor(values, tensor.shape);
      };
      const differentiate: Engine['differentiate'] = (variables, forward) => {
        const result = engine.differentiate(variables, forward);
        const gradients = result.gradients.map((gradient, i) =>
          i === 7 ? spoiled(gradient) : gradient,
        );
        return { ...result, gradients };
      };
      const other = new Supernet({ ...engine, differentiate }, tinySpace, 1);
      assertSkipped(other);
      other.dispose();
    });
  }

  it('R8: the steps after it are those of a search that never met it', () => {
    const untouched = tinySupernet(engine);
    const step = (of: Supernet, images: Float32Array): boolean =>
      trainStudent(of, { path, batch: { ...batch, images }, lesson: null }, trainingSettings) !==
      null;
    const nothing = new Float32Array(batch.images.length).fill(NaN);
    const met = [batch.images, nothing, nothing, batch.images].map((each) => step(student, each));
    assert.deepEqual(met, [true, false, false, true]);
    step(untouched, batch.images);
    step(untouched, batch.images);
    assert.deepEqual(everything(student), everything(untouched));
    untouched.dispose();
  });
});

describe('sgdStep', () => {
  function parameter(values: readonly number[], decayed: boolean): Parameter {
    const value = engine.keep(engine.tensor(Float32Array.from(values), [values.length]));
    return { name: 'w', shape: [values.length], decayed, value, velocity: null };
  }

  /** Takes one step and reads the new values. */
  function step(w: Parameter, gradient: readonly number[], weightDecay: number): number[] {
    const gradients = [engine.tensor(Float32Array.from(gradient), w.shape)];
    sgdStep(engine, [w], gradients, { lr: 0.5, momentum: 0.75, weightDecay });
    return [...engine.read(w.value)];
  }

  function release(...parameters: Parameter[]): void {
    engine.dispose(parameters.flatMap(({ value, velocity }) => [value, velocity!]));
  }

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
    const decayed = supernet.parameters.filter((each) => each.decayed);
    assert.ok(decayed.every(({ name }) => /\/(filter|weight)$/.test(name)));
    const others = supernet.parameters.filter((each) => !each.decayed);
    assert.ok(others.every(({ name }) => /\/(gamma|beta|bias)$/.test(name)));
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

  it('leaves no tensor behind and reuses no disposed one', () => {
    const w = parameter([1], true);
    step(w, [1], 0.5);
    const tensors = engine.tensorCount();
    for (let i = 0; i < 5; i++) step(w, [1], 0.5);
    assert.equal(engine.tensorCount(), tensors);
    release(w);
  });
});
