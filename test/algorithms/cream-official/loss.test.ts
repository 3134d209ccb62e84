import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { lessonOf, type Lesson } from '../../../src/algorithms/cream-official/lesson.ts';
import { distillationLoss, trainingLoss } from '../../../src/algorithms/cream-official/loss.ts';
import {
  createMetaNetwork,
  reversedDegree,
} from '../../../src/algorithms/cream-official/meta-network.ts';
import { differenceOf } from '../../../src/algorithms/cream-official/teacher.ts';
import type { LossOf } from '../../../src/algorithms/algorithm.ts';
import { combinedLoss } from '../../../src/algorithms/cream/loss.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { lossesOf, crossEntropyTo, smoothedTargets } from '../../../src/supernet/classification.ts';
import { mean } from '../../../src/foundation/statistics.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import { tinyBatch, tinyLearner, tinySupernet } from '../../support/tiny.ts';
import { boardOf, officialEntry } from './support.ts';

const student = [1, 2, 1];
const batch = tinyBatch(16, 'x', 0);
// A teacher that disagrees with the labels, so that K - E is far from zero.
const wrong = { ...batch, labels: batch.labels.map((label) => (label + 1) % 3) };
const phi = createMetaNetwork(6, 5);

let engine: Engine;
let supernet: Supernet;
let lesson: Lesson;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
  const board = boardOf(officialEntry([2, 1, 2], 0.75), officialEntry([0, 1, 0]));
  lesson = lessonOf(supernet, phi, { student, board, images: batch.images })!;
});
after(() => {
  supernet.dispose();
});

function differentiate(lossOf: LossOf) {
  const learner = tinyLearner(supernet);
  const { loss, outputs, gradients } = learner.gradientsOf(student, wrong, lossOf);
  const stem = engine.read(gradients.get(supernet.parameters[0]!)!).slice();
  learner.dispose();
  return { loss, outputs, stem };
}

/** K of the student on the batch, by its softmax. */
function distillation(): number {
  const own = predict(supernet, batch.images, student);
  return -own.reduce((sum, p, i) => sum + lesson.teaching[i]! * Math.log(p), 0) / 16;
}

describe('the training loss of the released code', () => {
  it('is (rho KD + (2 - rho) CE) / 2 with rho of the last entry, and names what it is made of', () => {
    const { loss, outputs } = differentiate(trainingLoss(supernet, wrong, lesson, 0));
    const kd = distillation();
    const ce = mean([...lossesOf(predict(supernet, batch.images, student), wrong.labels)]);
    const difference = differenceOf(supernet, lesson.last, student);
    const rho = reversedDegree(phi, difference);
    assert.ok(Math.abs(loss - (rho * kd + (2 - rho) * ce) / 2) < 1e-5);
    for (const [name, wanted] of Object.entries({ kd, ce, rho })) {
      assert.ok(Math.abs(outputs[name]![0]! - wanted) < 1e-5, name);
    }
    assert.deepEqual(outputs['probe'], predict(supernet, lesson.last.probe.images, student));
  });

  it('reaches the weights through rho: its gradient is the slope of all of it', () => {
    const leaky = trainingLoss(supernet, wrong, lesson, 0.1);
    const { stem, outputs } = differentiate(leaky);
    // The same loss with rho as a constant: its gradient is without the leak.
    const targets = smoothedTargets(wrong.labels, 3, 0.1);
    const constant: LossOf = (logits) => {
      const kd = crossEntropyTo(engine, logits, lesson.teaching);
      const ce = crossEntropyTo(engine, logits, targets);
      return { loss: combinedLoss(engine, outputs['rho']![0]!, kd, ce) };
    };
    const detached = differentiate(constant);
    assert.ok(Math.abs(detached.loss - differentiate(leaky).loss) < 1e-6);
    const leak = stem.map((g, i) => g - detached.stem[i]!);
    const [size, whole] = [Math.hypot(...leak), Math.hypot(...stem)];
    assert.ok(size > 0.005 * whole, `${size} of ${whole}`);

    // Along the leak, where the two gradients differ by all of it.
    const parameter = supernet.parameters[0]!;
    const { value } = parameter;
    const direction = engine.tensor(leak, value.shape);
    const lossAt = (distance: number): number => {
      parameter.value = engine.addScaled(value, distance / size, direction);
      const { loss } = differentiate(leaky);
      engine.dispose([parameter.value]);
      parameter.value = value;
      return loss;
    };
    const h = 1e-2;
    const slope = (lossAt(h) - lossAt(-h)) / (2 * h);
    engine.dispose([direction]);
    const wanted = stem.reduce((sum, g, i) => sum + (g * leak[i]!) / size, 0);
    assert.ok(Math.abs(slope - wanted) < 0.05 * size, `${slope} for ${wanted}, leak ${size}`);
  });
});

describe('the training loss where nobody teaches', () => {
  it('is the cross-entropy alone, and names no distillation loss', () => {
    const { loss, outputs } = differentiate(trainingLoss(supernet, wrong, null, 0));
    const own = predict(supernet, batch.images, student);
    assert.ok(Math.abs(loss - mean([...lossesOf(own, wrong.labels)])) < 1e-5);
    assert.deepEqual(Object.keys(outputs), ['logits', 'probabilities']);
    assert.deepEqual(outputs['probabilities'], own);
  });
});

describe("the loss of the meta update's student step", () => {
  it('is rho KD, whatever the labels', () => {
    const { loss } = differentiate(distillationLoss(supernet, lesson));
    const rho = reversedDegree(phi, differenceOf(supernet, lesson.last, student));
    assert.ok(Math.abs(loss - rho * distillation()) < 1e-5);
  });
});
