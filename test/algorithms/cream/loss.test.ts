import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  combinedLoss,
  differentiableRho,
  studentLoss,
} from '../../../src/algorithms/cream/loss.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { crossEntropyTo, smoothedTargets } from '../../../src/supernet/classification.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import { tinyBatch, tinyEntry, tinyLearner, tinySupernet } from '../../support/tiny.ts';

const path = [1, 2, 1];
const SMOOTHING = 0.1;

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

function logSoftmax(row: readonly number[]): number[] {
  const logSum = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
  return row.map((z) => z - logSum);
}

describe('combinedLoss', () => {
  it('is (rho KD + (2 - rho) CE) / 2, as computed by hand', () => {
    // Row 1: logits ln(1, 2, 5), so the softmax is 1/8, 2/8, 5/8; row 2 is uniform.
    const logits = Float32Array.of(0, Math.log(2), Math.log(5), 1, 1, 1);
    const teacher = Float32Array.of(0.5, 0.25, 0.25, 1, 0, 0);
    const targets = smoothedTargets([2, 0], 3, 0.3);
    const ce =
      (-(0.1 * Math.log(1 / 8) + 0.1 * Math.log(1 / 4) + 0.8 * Math.log(5 / 8)) + Math.log(3)) / 2;
    const kd =
      (-(0.5 * Math.log(1 / 8) + 0.25 * Math.log(1 / 4) + 0.25 * Math.log(5 / 8)) + Math.log(3)) /
      2;
    const [loss] = engine.scope(() => {
      const tensor = engine.tensor(logits, [2, 3]);
      const kdLoss = crossEntropyTo(engine, tensor, teacher);
      const ceLoss = crossEntropyTo(engine, tensor, targets);
      return engine.read(combinedLoss(engine, 0.25, kdLoss, ceLoss));
    });
    assert.ok(Math.abs(loss! - (0.25 * kd + 1.75 * ce) / 2) < 1e-6);
  });
});

describe('differentiableRho', () => {
  it('is the bounded matching degree of a difference of length 1, as computed by hand', () => {
    const p = Float32Array.of(0.2, 0.3, 0.5, 0.1, 0.6, 0.3);
    const q = Float32Array.of(0.5, 0.25, 0.25, 0.3, 0.3, 0.4);
    const phi = { weight: Float64Array.of(1, -2, 0.5, 3, -1, 0.25), bias: 0.125 };
    const [rho] = engine.scope(() =>
      engine.read(differentiableRho(engine, engine.tensor(p, [2, 3]), q, phi)),
    );
    // p - q has the squared length 0.295; w . d + b = -2.084379; its 2.5 tanh(s / 2.5) in a sigmoid.
    assert.ok(Math.abs(rho! - 0.1536555149) < 1e-6, String(rho));
  });
});

describe('studentLoss', () => {
  const batch = tinyBatch(16, 'x', 0);
  const teacher = { entry: tinyEntry([2, 1, 2]), rho: 0.3 };

  /** KD and CE by hand, from the student's own logits and the teacher's softmax. */
  function byHand() {
    const images = engine.tensor(batch.images, [16, 8, 8, 3]);
    const output = supernet.forward(images, path);
    const logits = engine.read(output).slice();
    engine.dispose([images, output]);
    const teaching = predict(supernet, batch.images, teacher.entry.path);
    const targets = smoothedTargets(batch.labels, 3, SMOOTHING);
    let [kd, ce] = [0, 0];
    for (let row = 0; row < 16; row++) {
      logSoftmax([...logits.slice(3 * row, 3 * row + 3)]).forEach((logP, k) => {
        kd -= (teaching[3 * row + k]! * logP) / 16;
        ce -= (targets[3 * row + k]! * logP) / 16;
      });
    }
    return { kd, ce };
  }

  it('equals what is computed by hand from the logits, and names both of its parts', () => {
    const { kd, ce } = byHand();
    const learner = tinyLearner(supernet);
    const { loss, outputs } = learner.gradientsOf(
      path,
      batch,
      studentLoss(supernet, batch, teacher, SMOOTHING),
    );
    learner.dispose();
    assert.ok(Math.abs(outputs['kd']![0]! - kd) < 1e-5);
    assert.ok(Math.abs(loss - (0.3 * kd + 1.7 * ce) / 2) < 1e-5);
    assert.ok(Math.abs(outputs['ce']![0]! - ce) < 1e-5);
  });

  it('is the cross-entropy alone where nobody teaches, and names no distillation loss', () => {
    const { ce } = byHand();
    const learner = tinyLearner(supernet);
    const lossOf = studentLoss(supernet, batch, null, SMOOTHING);
    const { loss, outputs } = learner.gradientsOf(path, batch, lossOf);
    learner.dispose();
    assert.equal(outputs['kd'], undefined);
    assert.ok(Math.abs(loss - ce) < 1e-5);
  });
});
