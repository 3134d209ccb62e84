/**
 * The toy of the specification: student softmax(V tanh(U x)), 4 hidden units, 3 classes, a probe of
 * 2 images, in float64 with a hand-written backward pass. Only metaGradient is the product's.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createMetaNetwork,
  matchingDegree,
  matchingScore,
  metaDifference,
  metaNorm,
  normalised,
  stepMetaNetwork,
  type MetaNetwork,
  type MetaParameters,
} from '../../../src/algorithms/cream/meta-network.ts';

/** Largest deviation relative to the norm of what is wanted. */
function relativeError(actual: MetaParameters, wanted: MetaParameters): number {
  return metaNorm(metaDifference(actual, wanted)) / metaNorm(wanted);
}

function assertNear(actual: number, wanted: number, relative: number): void {
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${actual} for ${wanted}`);
}

describe('the matching score', () => {
  it('is that of a bounded linear form, by hand', () => {
    const phi = { weight: Float64Array.of(2, -1), bias: 0.5 };
    // 2 + 0.5 + 0.5 = 3; 2.5 tanh(3 / 2.5); its sigmoid.
    const score = matchingScore(phi, [1, -0.5]);
    assertNear(score, 2.084136517530388, 1e-12);
    assertNear(matchingDegree(score), 0.8893517442648162, 1e-12);
    assert.equal(matchingScore(phi, [1, -0.5], Infinity), 3);
  });

  it('keeps rho between 0.07 and 0.93 whatever phi', () => {
    const number = fc.double({ min: -1e100, max: 1e100, noNaN: true });
    fc.assert(
      fc.property(fc.array(number, { minLength: 7, maxLength: 7 }), ([bias, ...weight]) => {
        const phi = { weight: Float64Array.from(weight), bias: bias! };
        const difference = normalised(Float32Array.of(0.3, -0.2, -0.1, 0.5, -0.4, -0.1));
        const rho = matchingDegree(matchingScore(phi, difference));
        assert.ok(rho > 0.07 && rho < 0.93, String(rho));
      }),
    );
  });

  it('does not depend on the length of a difference, which is 1', () => {
    assert.deepEqual([...normalised(Float32Array.of(3, -4))].map((d) => d.toFixed(6)), ['0.600000', '-0.800000']); // prettier-ignore
    const small = normalised(Float32Array.of(0.03, -0.04));
    assert.ok(Math.abs(small[0]! - 0.6) < 1e-5 && Math.abs(small[1]! + 0.8) < 1e-5);
    assert.deepEqual(normalised(new Float32Array(3)), new Float32Array(3), 'of equal outputs 0');
  });
});

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
    for (const meta of scaled) assert.ok(relativeError(meta, plain!) < 1e-9);
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
