import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import {
  accuracyOf,
  crossEntropyTo,
  hitsOf,
  lossesOf,
  smoothedTargets,
} from '../../src/supernet/classification.ts';
import { nativeEngine } from '../support/engine.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

describe('the loss of a classifier', () => {
  // Row 1: logits ln(1, 2, 5), so the softmax is 1/8, 2/8, 5/8; row 2 is uniform.
  const logits = Float32Array.of(0, Math.log(2), Math.log(5), 1, 1, 1);

  it('has targets that are smoothed towards uniform', () => {
    const targets = smoothedTargets([2, 0], 3, 0.3);
    const wanted = [0.1, 0.1, 0.8, 0.8, 0.1, 0.1];
    assert.equal(targets.length, wanted.length);
    targets.forEach((target, i) => {
      assert.ok(Math.abs(target - wanted[i]!) < 1e-7);
    });
  });

  it('is the mean cross-entropy to any targets, as computed by hand', () => {
    const soft = Float32Array.of(0.5, 0.25, 0.25, 1, 0, 0);
    const lossTo = (targets: Float32Array): number =>
      engine.scope(() => {
        const tensor = engine.tensor(logits, [2, 3]);
        return engine.read(crossEntropyTo(engine, tensor, targets));
      })[0]!;
    const rowOne = (a: number, b: number, c: number): number =>
      -(a * Math.log(1 / 8) + b * Math.log(1 / 4) + c * Math.log(5 / 8));
    const toLabels = (rowOne(0.1, 0.1, 0.8) + Math.log(3)) / 2;
    const toSoft = (rowOne(0.5, 0.25, 0.25) + Math.log(3)) / 2;
    assert.ok(Math.abs(lossTo(smoothedTargets([2, 0], 3, 0.3)) - toLabels) < 1e-6);
    assert.ok(Math.abs(lossTo(soft) - toSoft) < 1e-6);
  });
});

describe('accuracyOf', () => {
  it('is the share of rows whose largest score stands at the label', () => {
    const scores = Float32Array.of(0.1, 0.9, 0.8, 0.2, 0.3, 0.7, 0.5, 0.5);
    assert.equal(accuracyOf(scores, [1, 0, 0, 0]), 0.75);
  });

  it('counts a row without a number as no hit, whatever its label', () => {
    const scores = Float32Array.of(NaN, NaN, 0.8, 0.2, NaN, NaN);
    assert.equal(accuracyOf(scores, [0, 0, 1]), 1 / 3);
  });
});

describe('hitsOf', () => {
  it('tells of each row whether its largest score stands at the label', () => {
    const scores = Float32Array.of(0.1, 0.9, 0.8, 0.2, 0.3, 0.7, NaN, NaN);
    assert.deepEqual([...hitsOf(scores, [1, 1, 1, 0])], [1, 0, 1, 0]);
  });
});

describe('lossesOf', () => {
  it('are -log p of the labels', () => {
    const probabilities = Float32Array.of(0.25, 0.75, 0.5, 0.5);
    assert.deepEqual([...lossesOf(probabilities, [1, 0])], [-Math.log(0.75), -Math.log(0.5)]);
  });

  it('are finite where a label is impossible, or a row holds no number', () => {
    const least = -Math.log(2 ** -126);
    assert.deepEqual([...lossesOf(Float32Array.of(0, 1, NaN, NaN), [0, 1])], [least, least]);
  });
});
