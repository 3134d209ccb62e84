/**
 * The toy of the specification: student softmax(V tanh(U x)), 4 hidden units, 3 classes, a probe of
 * 2 images, in float64; its gradients to theta are differences.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  clipGradient,
  createMetaNetwork,
  leakGradient,
  metaGradient,
  reversedDegree,
  stepMetaNetwork,
  zerosLike,
  type MetaNetwork,
  type StudentPoint,
} from '../../../src/algorithms/cream-official/meta-network.ts';
import type { MetaParameters } from '../../../src/algorithms/cream/meta-network.ts';

const XI = 0.5;

function fill(count: number, start: number, scale = 1): number[] {
  return Array.from({ length: count }, (_, i) => scale * Math.sin(start + 1.3 * i));
}

function rows(values: readonly number[]): number[][] {
  return [values.slice(0, 3), values.slice(3)];
}

function softmax(logits: readonly number[]): number[] {
  const odds = logits.map((z) => Math.exp(z));
  const sum = odds.reduce((a, b) => a + b);
  return odds.map((odd) => odd / sum);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** U row by row, then V row by row. */
const theta0 = [...fill(12, 0.2, 0.8), ...fill(12, 1.1, 0.9)];
const phi: MetaParameters = { weight: Float64Array.from(fill(6, 0.4, 0.7)), bias: 0.1 };
const training = rows(fill(6, 0.5));
const teaching = rows(fill(6, 2.6, 1.5)).map(softmax);
const validation = rows(fill(6, 2.0));
const probes = rows(fill(6, 3.7));
const stored = rows(fill(6, 0.9, 1.5)).flatMap(softmax);

function outputsOf(theta: readonly number[], inputs: readonly number[][]): number[][] {
  return inputs.map((x) => {
    const hidden = [0, 1, 2, 3].map((h) => Math.tanh(dot(theta.slice(3 * h, 3 * h + 3), x)));
    return softmax([0, 1, 2].map((k) => dot(theta.slice(12 + 4 * k, 16 + 4 * k), hidden)));
  });
}

function crossEntropy(outputs: readonly number[][], targets: readonly number[][]): number {
  const losses = outputs.map((p, row) => -dot(targets[row]!, p.map(Math.log)));
  return losses.reduce((a, b) => a + b) / losses.length;
}

function pointAt(theta: readonly number[]): StudentPoint {
  const difference = outputsOf(theta, probes)
    .flat()
    .map((p, i) => p - stored[i]!);
  return { kd: crossEntropy(outputsOf(theta, training), teaching), difference };
}

function along(theta: readonly number[], distance: number, direction: readonly number[]): number[] {
  return theta.map((value, i) => value + distance * direction[i]!);
}

function gradientOf(f: (theta: number[]) => number, theta: readonly number[]): number[] {
  const h = 1e-5;
  return theta.map((_, i) => {
    const direction = theta.map((__, k) => Number(k === i));
    return (f(along(theta, h, direction)) - f(along(theta, -h, direction))) / (2 * h);
  });
}

/** Validation loss, labels 1 and 0. */
function validationLoss(theta: readonly number[]): number {
  return crossEntropy(outputsOf(theta, validation), [[0, 1, 0], [1, 0, 0]]); // prettier-ignore
}

/** theta after the simulated step on rho K, which depends on phi. */
function stepped(of: MetaParameters): number[] {
  const loss = (theta: number[]): number => {
    const { kd, difference } = pointAt(theta);
    return reversedDegree(of, difference) * kd;
  };
  return along(theta0, -XI, gradientOf(loss, theta0));
}

function closeTo(actual: number, wanted: number, tolerance: number, what = ''): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${what} ${actual} for ${wanted}`);
}

describe('rho of the released code', () => {
  it('is sigmoid(-s): one minus the specified sigmoid(s)', () => {
    closeTo(reversedDegree(phi, pointAt(theta0).difference), 1 - 0.406882838463, 1e-11);
  });
});

describe('the meta-gradient of the released code', () => {
  const v = gradientOf(validationLoss, stepped(phi));
  const epsilon = 0.001 / Math.sqrt(dot(v, v));
  const plus = pointAt(along(theta0, epsilon, v));
  const minus = pointAt(along(theta0, -epsilon, v));
  const gradient = metaGradient(phi, { plus, minus, epsilon, xi: XI });

  it('equals the specified digits for rho K alone with the reversed sign', () => {
    closeTo(validationLoss(stepped(phi)), 0.844822544467, 1e-9);
    closeTo(gradient.bias, -6.1900606188e-3, 6.2e-8);
  });

  it('is what brute force over phi finds', () => {
    const h = 1e-3;
    gradient.weight.forEach((actual, i) => {
      const moved = (by: number): MetaParameters => ({
        ...phi,
        weight: phi.weight.map((w, k) => (k === i ? w + by : w)),
      });
      const [up, down] = [moved(h), moved(-h)].map((of) => validationLoss(stepped(of)));
      closeTo(actual, (up! - down!) / (2 * h), 1e-6, `dJ/dw[${i}]`);
    });
  });
});

describe('the gradient of the training loss to the meta network', () => {
  it('is (K - E)/2 drho/dphi: where K > E it pushes rho down', () => {
    const { difference } = pointAt(theta0);
    const [kd, ce] = [1.5, 0.75];
    const loss = (of: MetaParameters): number => {
      const rho = reversedDegree(of, difference);
      return (rho * kd + (2 - rho) * ce) / 2;
    };
    const gradient = leakGradient(phi, { kd, ce, difference });
    const h = 1e-5;
    const slope = (change: (by: number) => MetaParameters): number =>
      (loss(change(h)) - loss(change(-h))) / (2 * h);
    closeTo(gradient.bias, slope((by) => ({ ...phi, bias: phi.bias + by })), 1e-9); // prettier-ignore
    gradient.weight.forEach((actual, i) => {
      const wanted = slope((by) => ({
        ...phi,
        weight: phi.weight.map((w, k) => (k === i ? w + by : w)),
      }));
      closeTo(actual, wanted, 1e-9, `w[${i}]`);
    });
    const after = stepMetaNetwork({ ...phi, velocity: zerosLike(phi) }, gradient, 0.1);
    assert.ok(reversedDegree(after, difference) < reversedDegree(phi, difference));
  });
});

describe('a step of the meta network', () => {
  const start: MetaNetwork = {
    weight: Float64Array.of(1, 2),
    bias: 3,
    velocity: { weight: Float64Array.of(10, 0), bias: -10 },
  };

  it("is PyTorch's Nesterov step with momentum 0.9, computed by hand, and is not clipped", () => {
    const gradient = { weight: Float64Array.of(30, 40), bias: 0 };
    const next = stepMetaNetwork(start, gradient, 0.01);
    // v = 0.9 v + g: 39, 40, -9; p -= 0.01 (g + 0.9 v).
    assert.deepEqual([...next.velocity.weight, next.velocity.bias], [39, 40, -9]);
    const wanted = [1 - 0.01 * (30 + 35.1), 2 - 0.01 * (40 + 36), 3 + 0.01 * 8.1];
    [...next.weight, next.bias].forEach((p, i) => {
      closeTo(p, wanted[i]!, 1e-12);
    });
  });

  it('without a gradient goes on by its momentum', () => {
    const next = stepMetaNetwork(start, zerosLike(start), 0.1);
    closeTo(next.weight[0]!, 1 - 0.1 * 0.81 * 10, 1e-12);
    assert.equal(next.weight[1], 2);
  });

  it('is clipped to norm 1 over weight and bias together in a meta update, never made longer', () => {
    const clipped = clipGradient({ weight: Float64Array.of(3, 0), bias: -4 });
    [...clipped.weight, clipped.bias].forEach((g, i) => {
      closeTo(g, [0.6, 0, -0.8][i]!, 1e-12);
    });
    const short = { weight: Float64Array.of(0.3, 0), bias: -0.4 };
    assert.deepEqual(clipGradient(short), short);
  });

  it('starts with weights in (-1, 1), no bias, and depends on its seed', () => {
    const meta = createMetaNetwork(4000, 1);
    assert.ok(meta.weight.every((w) => Math.abs(w) < 1));
    closeTo(dot([...meta.weight], [...meta.weight]) / 4000, 1 / 3, 0.02);
    assert.deepEqual([meta.bias, meta.velocity], [0, zerosLike(meta)]);
    assert.notDeepEqual(createMetaNetwork(4000, 2).weight, meta.weight);
  });
});
