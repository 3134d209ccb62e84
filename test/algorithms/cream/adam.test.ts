import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createMetaNetwork,
  metaDifference,
  metaNorm,
  stepMetaNetwork,
  type MetaNetwork,
  type MetaParameters,
} from '../../../src/algorithms/cream/meta-network.ts';

function assertNear(actual: number, wanted: number, relative: number): void {
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${actual} for ${wanted}`);
}

describe('stepMetaNetwork', () => {
  const at = (weight: number, bias: number): MetaParameters => ({
    weight: Float64Array.of(weight),
    bias,
  });
  const networkAt = (weight: number, bias: number): MetaNetwork => ({
    ...at(weight, bias),
    mean: at(0, 0),
    square: at(0, 0),
    steps: 0,
  });

  it('takes steps of Adam with decoupled decay 1: three of them, by hand', () => {
    // Betas 0.9 and 0.99, rate 0.1; first p - 0.1 (sign(g) + p), as the moments are unbiased.
    const gradients = [at(2, -3), at(-1, 0), at(4, 1)];
    const wanted = [
      [0.8, -0.35],
      [0.6933300570922119, -0.247841985271064],
      [0.5583557665210786, -0.19403917458872],
    ] as const;
    let meta = networkAt(1, -0.5);
    for (const [step, gradient] of gradients.entries()) {
      const next = stepMetaNetwork(meta, gradient, 0.1);
      assertNear(next.weight[0]!, wanted[step]![0], 1e-12);
      assertNear(next.bias, wanted[step]![1], 1e-12);
      assert.equal(next.steps, step + 1);
      meta = next;
    }
  });

  it('treats a network as a value', () => {
    const meta = networkAt(1, -0.5);
    stepMetaNetwork(meta, at(2, -3), 0.1);
    assert.deepEqual(meta, networkAt(1, -0.5));
  });

  it('goes the same way when every gradient is a million times smaller or larger', () => {
    const gradients = Array.from({ length: 30 }, (_, step) =>
      at(1e-3 * Math.sin(step), 2e-3 * Math.cos(2 * step)),
    );
    const [plain, ...scaled] = [1, 1e-6, 1e6].map((scale) =>
      gradients.reduce<MetaNetwork>(
        (meta, { weight, bias }) =>
          stepMetaNetwork(meta, at(scale * weight[0]!, scale * bias), 0.05),
        networkAt(0.5, 0),
      ),
    );
    assert.ok(metaNorm(metaDifference(plain!, networkAt(0.5, 0))) > 0.1, 'and it is some way');
    for (const meta of scaled) assert.ok(metaNorm(metaDifference(meta, plain!)) < 1e-9);
  });

  it('never leaves -1 and 1 under a gradient that always points outwards', () => {
    let meta = networkAt(0.9, -0.9);
    for (let step = 0; step < 500; step++) {
      meta = stepMetaNetwork(meta, at(-7, 1e-9), 0.05);
      assert.ok(Math.abs(meta.weight[0]!) <= 1 + 1e-9 && Math.abs(meta.bias) <= 1 + 1e-9);
    }
    assertNear(meta.weight[0]!, 1, 1e-6);
    assertNear(meta.bias, -1, 1e-6);
  });

  it('only fades by a zero gradient', () => {
    const meta = createMetaNetwork(6, 1);
    const gradient = { weight: new Float64Array(6), bias: 0 };
    const next = stepMetaNetwork(meta, gradient, 0.05);
    next.weight.forEach((w, i) => {
      assertNear(w, 0.95 * meta.weight[i]!, 1e-12);
    });
  });
});
