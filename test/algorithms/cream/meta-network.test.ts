/**
 * The toy of the specification: student softmax(V tanh(U x)), 4 hidden units, 3 classes, a probe of
 * 2 images, in float64 with a hand-written backward pass. Only metaGradient is the product's.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  matchingDegree,
  matchingScore,
  metaDifference,
  metaGradient,
  metaNorm,
  normalised,
  SCORE_BOUND,
  type MetaParameters,
  type StudentPoint,
} from '../../../src/algorithms/cream/meta-network.ts';

const HIDDEN = 4;
const INPUTS = 3;
const CLASSES = 3;
const XI = 0.5;

type Rows = readonly (readonly number[])[];

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

function oneHot(labels: readonly number[]): number[][] {
  return labels.map((label) => [0, 1, 2].map((k) => Number(k === label)));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** theta as one list: U row by row, then V row by row. */
const theta0 = [...fill(12, 0.2, 0.8), ...fill(12, 1.1, 0.9)];
const phi0: MetaParameters = { weight: Float64Array.from(fill(6, 0.4, 0.7)), bias: 0.1 };
const training = rows(fill(6, 0.5));
const trainingTargets = oneHot([0, 2]);
const teacherTargets = rows(fill(6, 2.6, 1.5)).map(softmax);
const validation = rows(fill(6, 2.0));
const validationTargets = oneHot([1, 0]);
const probes = rows(fill(6, 3.7));
const stored = rows(fill(6, 0.9, 1.5)).flatMap(softmax);

function hiddenOf(theta: readonly number[], x: readonly number[]): number[] {
  return Array.from({ length: HIDDEN }, (_, h) =>
    Math.tanh(dot(theta.slice(h * INPUTS, (h + 1) * INPUTS), x)),
  );
}

function outputsOf(theta: readonly number[], inputs: Rows): number[][] {
  return inputs.map((x) => {
    const hidden = hiddenOf(theta, x);
    return softmax(
      [0, 1, 2].map((k) => dot(theta.slice(12 + k * HIDDEN, 12 + (k + 1) * HIDDEN), hidden)),
    );
  });
}

/** Gradient to theta of a function with the given gradients to the logits of each row. */
function backward(theta: readonly number[], inputs: Rows, dLogits: Rows): number[] {
  const gradient = new Array<number>(theta.length).fill(0);
  inputs.forEach((x, row) => {
    const hidden = hiddenOf(theta, x);
    hidden.forEach((value, h) => {
      const dHidden = dLogits[row]!.reduce((s, dz, k) => s + dz * theta[12 + k * HIDDEN + h]!, 0);
      x.forEach((xi, i) => (gradient[h * INPUTS + i]! += dHidden * (1 - value * value) * xi));
      dLogits[row]!.forEach((dz, k) => (gradient[12 + k * HIDDEN + h]! += dz * value));
    });
  });
  return gradient;
}

function crossEntropy(outputs: Rows, targets: Rows): number {
  const losses = outputs.map((p, row) => -dot(targets[row]!, p.map(Math.log))); // prettier-ignore
  return losses.reduce((a, b) => a + b) / outputs.length;
}

function crossEntropyGradient(theta: readonly number[], inputs: Rows, targets: Rows): number[] {
  const outputs = outputsOf(theta, inputs);
  const dLogits = outputs.map((p, row) =>
    p.map((value, k) => (value - targets[row]![k]!) / outputs.length),
  );
  return backward(theta, inputs, dLogits);
}

/**
 * How a score is made of softmax outputs: the specified toy takes their plain difference and no bound;
 * ours is of length 1 and bounded.
 */
interface Scoring {
  readonly bound: number;
  readonly isNormalised: boolean;
}

const SPECIFIED: Scoring = { bound: Infinity, isNormalised: false };
const OURS: Scoring = { bound: SCORE_BOUND, isNormalised: true };

/** Length that a difference is divided by, in float64. */
function lengthOf(difference: readonly number[], { isNormalised }: Scoring): number {
  return isNormalised ? Math.sqrt(dot(difference, difference) + 1e-8) : 1;
}

function differenceAt(theta: readonly number[]): number[] {
  return outputsOf(theta, probes)
    .flat()
    .map((p, i) => p - stored[i]!);
}

function pointAt(theta: readonly number[], scoring: Scoring): StudentPoint {
  const outputs = outputsOf(theta, training);
  const difference = differenceAt(theta);
  return {
    kd: crossEntropy(outputs, teacherTargets),
    ce: crossEntropy(outputs, trainingTargets),
    difference: difference.map((each) => each / lengthOf(difference, scoring)),
  };
}

/** s, written out once more: the product's is what is tested. */
function scoreOf(phi: MetaParameters, difference: ArrayLike<number>, { bound }: Scoring): number {
  const linear = dot([...phi.weight], Array.from(difference)) + phi.bias;
  return bound === Infinity ? linear : bound * Math.tanh(linear / bound);
}

/** l = (rho K + (2 - rho) E) / 2. */
function trainingLoss(theta: readonly number[], phi: MetaParameters, scoring: Scoring): number {
  const { kd, ce, difference } = pointAt(theta, scoring);
  const rho = 1 / (1 + Math.exp(-scoreOf(phi, difference, scoring)));
  return (rho * kd + (2 - rho) * ce) / 2;
}

/** Gradient to theta of l, rho's dependence on theta included. */
function trainingGradient(
  theta: readonly number[],
  phi: MetaParameters,
  scoring: Scoring,
): number[] {
  const { kd, ce, difference } = pointAt(theta, scoring);
  const score = scoreOf(phi, difference, scoring);
  const rho = 1 / (1 + Math.exp(-score));
  const kdGradient = crossEntropyGradient(theta, training, teacherTargets);
  const ceGradient = crossEntropyGradient(theta, training, trainingTargets);
  // To a plain difference u of length n: (w - d (w . d)) / n with d = u / n; without a length w.
  const w = [...phi.weight];
  const unit = Array.from(difference);
  const length = lengthOf(differenceAt(theta), scoring);
  const along = scoring.isNormalised ? dot(w, unit) : 0;
  const toOutput = w.map((each, i) => (each - unit[i]! * along) / length);
  const dScore = outputsOf(theta, probes).map((p, row) => {
    const g = toOutput.slice(row * CLASSES, (row + 1) * CLASSES);
    return p.map((value, k) => value * (g[k]! - dot(p, g)));
  });
  const scoreGradient = backward(theta, probes, dScore);
  const slope = 1 - (score / scoring.bound) ** 2;
  const throughRho = ((kd - ce) / 2) * rho * (1 - rho) * slope;
  return theta.map(
    (_, i) =>
      (rho * kdGradient[i]! + (2 - rho) * ceGradient[i]!) / 2 + throughRho * scoreGradient[i]!,
  );
}

function along(theta: readonly number[], distance: number, direction: readonly number[]): number[] {
  return theta.map((value, i) => value + distance * direction[i]!);
}

function virtualStep(phi: MetaParameters, scoring: Scoring): number[] {
  return along(theta0, -XI, trainingGradient(theta0, phi, scoring));
}

/** J(phi): validation loss after the virtual step. */
function objective(phi: MetaParameters, scoring: Scoring): number {
  return crossEntropy(outputsOf(virtualStep(phi, scoring), validation), validationTargets);
}

function gradientByRecipe(reach: number, scoring: Scoring): MetaParameters {
  const v = crossEntropyGradient(virtualStep(phi0, scoring), validation, validationTargets);
  const epsilon = reach / Math.sqrt(dot(v, v));
  const plus = pointAt(along(theta0, epsilon, v), scoring);
  const minus = pointAt(along(theta0, -epsilon, v), scoring);
  return metaGradient(phi0, { plus, minus, epsilon, xi: XI }, scoring.bound);
}

/** dJ/dphi by central differences over each number of phi. */
function gradientByForce(scoring: Scoring): MetaParameters {
  const h = 1e-4;
  const moved = (at: number, by: number): MetaParameters =>
    at < 6
      ? { ...phi0, weight: phi0.weight.map((w, i) => (i === at ? w + by : w)) }
      : { ...phi0, bias: phi0.bias + by };
  const slopes = Array.from(
    { length: 7 },
    (_, at) => (objective(moved(at, h), scoring) - objective(moved(at, -h), scoring)) / (2 * h),
  );
  return { weight: Float64Array.from(slopes.slice(0, 6)), bias: slopes[6]! };
}

/** Largest deviation relative to the norm of what is wanted. */
function relativeError(actual: MetaParameters, wanted: MetaParameters): number {
  return metaNorm(metaDifference(actual, wanted)) / metaNorm(wanted);
}

const WANTED: MetaParameters = {
  weight: Float64Array.of(
    -1.6964462446e-3,
    -7.4933751028e-4,
    2.4457837549e-3,
    3.2127261169e-3,
    1.9371024991e-3,
    -5.149828616e-3,
  ),
  bias: 1.2182778079e-2,
};

function assertNear(actual: number, wanted: number, relative: number): void {
  assert.ok(Math.abs(actual - wanted) <= relative * Math.abs(wanted), `${actual} for ${wanted}`);
}

describe('metaGradient on the toy', () => {
  it('the toy is the specified one: KD, CE, score, rho and J', () => {
    const { kd, ce, difference } = pointAt(theta0, SPECIFIED);
    const score = matchingScore(phi0, difference, Infinity);
    assertNear(kd, 1.085257043816, 1e-11);
    assertNear(ce, 1.108543954514, 1e-11);
    assertNear(score, -0.376866675928, 1e-11);
    assertNear(matchingDegree(score), 0.406882838463, 1e-11);
    assertNear(objective(phi0, SPECIFIED), 0.731484148652, 1e-11);
  });

  it('the toy differentiates its own loss rightly, with and without bound and length', () => {
    for (const scoring of [SPECIFIED, OURS]) {
      trainingGradient(theta0, phi0, scoring).forEach((slope, at) => {
        const h = 1e-5;
        const moved = (by: number): number[] => theta0.map((t, i) => (i === at ? t + by : t));
        const up = trainingLoss(moved(h), phi0, scoring);
        const down = trainingLoss(moved(-h), phi0, scoring);
        assert.ok(Math.abs(slope - (up - down) / (2 * h)) < 1e-9, `theta ${at}`);
      });
    }
  });

  it('dJ/dw and dJ/db equal the specified digits to 1e-5', () => {
    const gradient = gradientByRecipe(1e-3, SPECIFIED);
    WANTED.weight.forEach((wanted, i) => {
      assertNear(gradient.weight[i]!, wanted, 1e-5);
    });
    assertNear(gradient.bias, WANTED.bias, 1e-5);
    assert.ok(relativeError(gradientByRecipe(1e-2, SPECIFIED), WANTED) < 1e-5);
  });

  it('brute force over phi agrees', () => {
    const brute = gradientByForce(SPECIFIED);
    assert.ok(relativeError(brute, WANTED) < 1e-7);
    assert.ok(relativeError(gradientByRecipe(1e-3, SPECIFIED), brute) < 1e-6);
  });

  it('brute force over phi agrees with a bounded score of a difference of length 1', () => {
    const brute = gradientByForce(OURS);
    const recipe = gradientByRecipe(1e-3, OURS);
    assert.ok(metaNorm(brute) > 1e-3, 'a slope that can be measured');
    assert.ok(relativeError(recipe, brute) < 1e-5);
    // The bound is felt: without its factor the same points give another gradient.
    assert.ok(relativeError(gradientByRecipe(1e-3, { ...OURS, bound: Infinity }), brute) > 1e-2);
  });

  it('is the derivative of (rho KD + (2 - rho) CE) / 2 with respect to phi', () => {
    const point = pointAt(theta0, OURS);
    const loss = (bias: number): number => trainingLoss(theta0, { ...phi0, bias }, OURS);
    // With equal losses in the second point only the first one's derivative is left.
    const flat = { ...point, kd: point.ce };
    const { bias } = metaGradient(phi0, { plus: point, minus: flat, epsilon: 0.5, xi: -1 });
    assertNear(bias, (loss(0.1 + 1e-4) - loss(0.1 - 1e-4)) / 2e-4, 1e-6);
  });
});

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
