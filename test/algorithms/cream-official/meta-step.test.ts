import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { lessonOf, type Lesson } from '../../../src/algorithms/cream-official/lesson.ts';
import { distillationLoss } from '../../../src/algorithms/cream-official/loss.ts';
import {
  clipGradient,
  createMetaNetwork,
  linearScore,
  stepMetaNetwork,
  zerosLike,
} from '../../../src/algorithms/cream-official/meta-network.ts';
import { differentiateFirst, metaStep } from '../../../src/algorithms/cream-official/meta-step.ts';
import type { MetaParameters } from '../../../src/algorithms/cream/meta-network.ts';
import { differenceOf } from '../../../src/algorithms/cream-official/teacher.ts';
import { labelLoss } from '../../../src/algorithms/stateless.ts';
import { spos } from '../../../src/algorithms/spos/spos.ts';
import { sliceBatch } from '../../../src/data/stream/batch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { takeSnapshot } from '../../../src/training/snapshot.ts';
import { initialState } from '../../../src/training/state.ts';
import { nativeEngine } from '../../support/engine.ts';
import { spoiled, tinyBatch, tinyLearner, tinySearch, tinySupernet } from '../../support/tiny.ts';
import { boardOf, officialEntry } from './support.ts';

const student = [1, 2, 1];
const batch = tinyBatch(16, 'x', 0);
const board = boardOf(officialEntry([2, 1, 2], 0.75), officialEntry([0, 1, 0]));
const start = createMetaNetwork(6, 5);
const meta = { ...start, velocity: { weight: start.weight.map((w) => -w), bias: 0.5 } };
const IMAGES = 2;
const settings = { images: IMAGES, rate: 0.1, labelSmoothing: 0.1 };
const input = { student, board, batch };

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

/** Every weight, momentum and running statistic. */
function everything() {
  const search = tinySearch(spos);
  const state = initialState(supernet, search.algorithm.initialState());
  return structuredClone(takeSnapshot(state, search).arrays);
}

function lessonAt(phi: MetaParameters): Lesson {
  const { images } = sliceBatch(batch, 0, IMAGES);
  return { ...lessonOf(supernet, phi, { student, board, images })!, phi };
}

/** Gradient of rho K on the first slice, by the name of the parameter. */
function innerGradients(phi: MetaParameters): Map<string, Float32Array> {
  const learner = tinyLearner(supernet);
  const training = sliceBatch(batch, 0, IMAGES);
  const lossOf = distillationLoss(supernet, lessonAt(phi));
  const { gradients } = learner.gradientsOf(student, training, lossOf);
  const numbers = [...gradients].map(([{ name }, g]) => [name, engine.read(g).slice()] as const);
  learner.dispose();
  return new Map(numbers);
}

describe('the meta-gradient of the released code', () => {
  it('is -xi d/dphi <v, grad(rho K)> over the first tensor, the filter of the stem, alone', () => {
    const learner = tinyLearner(supernet);
    const validation = sliceBatch(batch, IMAGES, 2 * IMAGES);
    const { gradients } = learner.gradientsOf(student, validation, labelLoss(learner, validation, 0.1)); // prettier-ignore
    const first = supernet.parameters[0]!;
    assert.deepEqual(first.shape, [3, 3, 3, 8]);
    const v = engine.read(gradients.get(first)!).slice();
    const { images } = sliceBatch(batch, 0, IMAGES);
    const gradient = differentiateFirst(supernet, lessonAt(meta), { images, gradients, xi: 0.5 });
    learner.dispose();

    const product = (phi: MetaParameters): number =>
      innerGradients(phi).get(first.name)!.reduce((sum, g, i) => sum + g * v[i]!, 0); // prettier-ignore
    const h = 0.02;
    const slope = (change: (by: number) => MetaParameters): number =>
      (-0.5 * (product(change(h)) - product(change(-h)))) / (2 * h);
    const slopes = [
      slope((by) => ({ ...meta, bias: meta.bias + by })),
      ...[0, 1, 2, 3, 4, 5].map((i) =>
        slope((by) => ({ ...meta, weight: meta.weight.map((w, k) => (k === i ? w + by : w)) })),
      ),
    ];
    const length = Math.hypot(...slopes);
    assert.ok(length > 1e-3, 'a gradient that can be measured');
    [gradient.bias, ...gradient.weight].forEach((actual, i) => {
      assert.ok(Math.abs(actual - slopes[i]!) < 0.01 * length, `${i}: ${actual} for ${slopes[i]}`);
    });
  });
});

describe('the meta update of the released code', () => {
  for (const [size, scale] of [
    ['short', 1],
    ['long', 10],
  ] as const) {
    it(`steps the student for good on rho K of the first slice, by a ${size} gradient`, () => {
      // Large weights, and a score of 0 where rho is steepest: the gradient through rho is large.
      const weight = meta.weight.map((w) => scale * w);
      const difference = differenceOf(supernet, board.entries.at(-1)!, student);
      const phi = { ...meta, weight, bias: -linearScore({ weight, bias: 0 }, difference) };
      const gradients = innerGradients(phi);
      const norm = Math.hypot(...[...gradients.values()].flatMap((each) => [...each]));
      assert.equal(norm > 1, size === 'long', `${norm}: only the long one is clipped to norm 1`);
      const clip = Math.min(1, 1 / norm);
      const parameters = supernet.parametersOf(student);
      const earlier = parameters.map(({ value }) => engine.read(value).slice());
      const learner = tinyLearner(supernet, { clipNorm: Infinity, lr: 0.05 });
      assert.notEqual(metaStep(learner, phi, input, settings), null);
      learner.dispose();
      parameters.forEach(({ name, value, decayed }, at) => {
        const now = engine.read(value);
        earlier[at]!.forEach((w, i) => {
          const g = clip * gradients.get(name)![i]! + (decayed ? 1e-4 * w : 0);
          assert.ok(Math.abs(now[i]! - (w - 0.05 * 1.9 * g)) < 1e-6, name);
        });
      });
    });
  }

  it('moves phi by its momentum, then along the gradient of the smoothed second slice', () => {
    const lesson = lessonAt(meta);
    const learner = tinyLearner(supernet);
    const next = metaStep(learner, meta, input, settings)!;
    learner.dispose();

    // The student has been stepped: the rest is taken at its new weights.
    const coasted = stepMetaNetwork(meta, zerosLike(meta), settings.rate);
    const second = tinyLearner(supernet);
    const validation = sliceBatch(batch, IMAGES, 2 * IMAGES);
    const lossOf = labelLoss(second, validation, settings.labelSmoothing);
    const { gradients } = second.gradientsOf(student, validation, lossOf);
    const { images } = sliceBatch(batch, 0, IMAGES);
    const target = { images, gradients, xi: settings.rate };
    const gradient = differentiateFirst(supernet, { ...lesson, phi: coasted }, target);
    second.dispose();
    const wanted = stepMetaNetwork(coasted, clipGradient(gradient), settings.rate);
    assert.ok(Math.abs(wanted.bias - coasted.bias) > 1e-7, 'a step that can be measured');
    [next.bias, ...next.weight].forEach((p, i) => {
      assert.ok(Math.abs(p - [wanted.bias, ...wanted.weight][i]!) < 1e-12, `${i}`);
    });
  });

  it('changes nothing and says so where the first slice is no numbers', () => {
    const before = everything();
    const learner = tinyLearner(supernet);
    assert.equal(metaStep(learner, meta, { ...input, batch: spoiled(batch) }, settings), null);
    learner.dispose();
    assert.deepEqual(everything(), before);
  });

  it('leaves phi where its gradient is not finite, moved by its momentum alone', () => {
    const half = spoiled(batch).images.slice(0);
    half.set(sliceBatch(batch, 0, IMAGES).images);
    const learner = tinyLearner(supernet);
    const next = metaStep(learner, meta, { ...input, batch: { ...batch, images: half } }, settings);
    learner.dispose();
    assert.deepEqual(next, stepMetaNetwork(meta, zerosLike(meta), 0.1));
  });

  it('is nothing where nobody teaches', () => {
    const before = everything();
    const learner = tinyLearner(supernet);
    assert.equal(metaStep(learner, meta, { ...input, board: boardOf() }, settings), meta);
    learner.dispose();
    assert.deepEqual(everything(), before);
  });

  it('leaves no tensor behind', () => {
    const beside = engine.tensorCount() - supernet.tensorCount();
    const learner = tinyLearner(supernet);
    metaStep(learner, meta, input, settings);
    learner.dispose();
    assert.equal(engine.tensorCount() - supernet.tensorCount(), beside);
  });
});
