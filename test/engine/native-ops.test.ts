import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { TensorFlow } from '../../src/engine/load.ts';
import { loadTensorFlow } from '../../src/engine/load.ts';
import { ownKernels, type OwnKernels } from '../../src/engine/native-ops.ts';
import { BATCH_NORM_EPSILON, type Tensor } from '../../src/engine/ops.ts';
import { plainNesterov } from '../../src/engine/plain-ops.ts';
import type { OpAttribute, TensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';
import { tensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';
import { assertClose } from '../support/close.ts';

let tf: TensorFlow['tf'];
let backend: TensorFlowBackend;
let own: OwnKernels;

before(async () => {
  const loaded = await loadTensorFlow({ engine: 'cpu', environment: process.env });
  assert.ok(loaded.ownOps, 'the own operations are not installed');
  ({ tf } = loaded);
  backend = tensorFlowBackend(tf);
  own = ownKernels(tf, backend);
});

function random(shape: number[], seed: number): Tensor {
  return tf.randomNormal(shape, 0, 1, 'float32', seed);
}

/** Compares with the largest wanted magnitude, which is not zero, as the scale. */
function assertEqual(actual: Tensor, wanted: Tensor, tolerance = 1e-5): void {
  assert.deepEqual(actual.shape, wanted.shape);
  const [found, values] = [actual, wanted].map((t) => t.dataSync<'float32'>());
  assert.ok(values!.some((value) => value !== 0), 'something is wanted'); // prettier-ignore
  assertClose(found!, values!, tolerance, 'the kernel');
}

type Triple = [Tensor, Tensor, Tensor];

/** Attributes of TensorFlow's depthwise gradients. */
function depthwise(kernel: number, stride: number): OpAttribute[] {
  const border = (kernel - 1) / 2;
  return [
    backend.type('T'),
    backend.ints('strides', [1, stride, stride, 1]),
    backend.text('padding', 'EXPLICIT'),
    backend.ints('explicit_paddings', [0, 0, border, border, border, border, 0, 0]),
    backend.text('data_format', 'NHWC'),
    backend.ints('dilations', [1, 1, 1, 1]),
  ];
}

describe('depthwiseFilterGradient', () => {
  const cases = [
    { batch: 3, size: 9, channels: 64, kernel: 5, stride: 1 },
    { batch: 2, size: 8, channels: 40, kernel: 5, stride: 2 },
    { batch: 2, size: 7, channels: 5, kernel: 5, stride: 2 },
    { batch: 5, size: 3, channels: 96, kernel: 5, stride: 1 },
    { batch: 2, size: 11, channels: 33, kernel: 7, stride: 1 },
    { batch: 2, size: 12, channels: 32, kernel: 7, stride: 2 },
  ];
  for (const { batch, size, channels, kernel, stride } of cases) {
    it(`equals TensorFlow's for ${size}x${size}x${channels}, window ${kernel}, stride ${stride}`, () => {
      const output = Math.ceil(size / stride);
      const x = random([batch, size, size, channels], 1);
      const dy = random([batch, output, output, channels], 2);
      const wanted = backend.run('DepthwiseConv2dNativeBackpropFilter', depthwise(kernel, stride), [
        x,
        backend.constant([kernel, kernel, channels, 1]),
        dy,
      ]);
      assertEqual(own.depthwiseFilterGradient(x, dy, { kernel, stride }), wanted);
    });
  }

  it('refuses a gradient that does not belong to the images', () => {
    const x = tf.zeros([1, 8, 8, 32]);
    const gradient = (kernel: number, stride: number) =>
      own.depthwiseFilterGradient(x, x, { kernel, stride });
    assert.throws(() => gradient(5, 2), /does not belong to x/);
    assert.throws(() => gradient(3, 1), /kernel must be 5 or 7, not 3/);
  });
});

describe('depthwiseInputGradient', () => {
  const cases = [
    { batch: 2, size: 8, channels: 96, kernel: 3, stride: 2 },
    { batch: 2, size: 9, channels: 13, kernel: 3, stride: 2 },
    { batch: 3, size: 8, channels: 40, kernel: 5, stride: 2 },
    { batch: 2, size: 3, channels: 72, kernel: 7, stride: 2 },
    { batch: 2, size: 6, channels: 8, kernel: 5, stride: 1 },
  ];
  for (const { batch, size, channels, kernel, stride } of cases) {
    it(`equals TensorFlow's for ${size}x${size}x${channels}, window ${kernel}, stride ${stride}`, () => {
      const output = Math.ceil(size / stride);
      const x = tf.zeros([batch, size, size, channels]);
      const filter = random([kernel, kernel, channels, 1], 1);
      const dy = random([batch, output, output, channels], 2);
      const wanted = backend.run('DepthwiseConv2dNativeBackpropInput', depthwise(kernel, stride), [
        backend.constant(x.shape),
        filter,
        dy,
      ]);
      assertEqual(own.depthwiseInputGradient({ x, filter, dy }, { kernel, stride }), wanted);
    });
  }

  it('refuses shapes that do not belong together, and windows that it does not know', () => {
    const x = tf.zeros([1, 8, 8, 32]);
    const filter = tf.zeros([5, 5, 32, 1]);
    const gradient = (kernel: number, stride: number) =>
      own.depthwiseInputGradient({ x, filter, dy: x }, { kernel, stride });
    assert.throws(() => gradient(5, 2), /do not belong to x/);
    assert.throws(() => gradient(3, 1), /do not belong to x/);
    assert.throws(() => gradient(9, 1), /odd kernel up to 7/);
  });
});

describe('batchNorm', () => {
  const shapes = [
    [4, 9, 9, 24],
    [1, 1, 3, 5],
    [8, 16, 16, 33],
  ];
  for (const shape of shapes) {
    it(`equals TensorFlow's for ${shape.join('x')}, activation none`, () => {
      const [x, dy] = [tf.add(random(shape, 1), 3), random(shape, 2)];
      const [gamma, beta, mean] = [3, 4, 5].map((seed) => random(shape.slice(3), seed)) as Triple;
      const inputs: Parameters<OwnKernels['batchNorm']>[0] = [x, gamma, beta, mean, tf.abs(mean)];
      const settings = [backend.type('T'), backend.type('U')];
      settings.push(
        backend.float('epsilon', BATCH_NORM_EPSILON),
        backend.flag('is_training', true),
      );
      const factor = backend.float('exponential_avg_factor', 0.25);
      const [y, ...moments] = backend.runMany('FusedBatchNormV3', [...settings, factor], inputs, 6);
      const actual = own.batchNorm(inputs, { factor: 0.25, activation: 0 });
      [y!, ...moments.slice(0, 4)].forEach((wanted, i) => {
        assertEqual(actual[i]!, wanted, 2e-5);
      });
      const [batchMean, variance] = actual.slice(3) as [Tensor, Tensor];
      const gradients = own.batchNormGradient([dy, x, gamma, beta, batchMean, variance], 0);
      const given = [dy, x, gamma, ...moments.slice(2)];
      const wanted = backend.runMany('FusedBatchNormGradV3', settings, given, 5);
      gradients.forEach((gradient, i) => {
        assertEqual(gradient, wanted[i]!, 2e-5);
      });
    });
  }

  it('keeps the moments of a large map, as double precision has them', () => {
    const [pixels, channels] = [4 * 96 * 96, 3];
    const x = tf.add(random([4, 96, 96, channels], 1), 10);
    const ones = tf.ones([channels]);
    const inputs: Parameters<OwnKernels['batchNorm']>[0] = [x, ones, ones, ones, ones];
    const [, , , mean, variance] = own.batchNorm(inputs, { factor: 1, activation: 0 });
    const values = x.dataSync<'float32'>();
    for (let c = 0; c < channels; c += 1) {
      const column = Array.from({ length: pixels }, (_, i) => values[i * channels + c]!);
      const m = column.reduce((sum, value) => sum + value, 0) / pixels;
      const v = column.reduce((sum, value) => sum + (value - m) ** 2, 0) / pixels;
      assert.ok(Math.abs(mean!.dataSync<'float32'>()[c]! - m) < 2e-6 * m);
      assert.ok(Math.abs(variance!.dataSync<'float32'>()[c]! - v) < 2e-6 * v);
    }
  });

  it('keeps what is not a number, through every activation', () => {
    const x = tf.tensor4d([NaN, 1, 2, 3], [1, 1, 4, 1]);
    const one = tf.ones([1]);
    for (const activation of [0, 1, 2]) {
      const [y] = own.batchNorm([x, one, one, one, one], { factor: 1, activation });
      assert.ok(y!.dataSync<'float32'>().every(Number.isNaN));
    }
  });

  it('refuses inputs that do not belong together', () => {
    const [x, one, two] = [tf.zeros([2, 4, 4, 8]), tf.ones([8]), tf.ones([4])];
    const settings = { factor: 0.5, activation: 0 };
    assert.throws(() => own.batchNorm([x, one, two, one, one], settings), /x must be a map/);
    assert.throws(() => own.batchNorm([x, one, one, tf.tensor1d([]), one], settings), /x must be a map/); // prettier-ignore
    const other = tf.zeros([2, 4, 4, 4]);
    assert.throws(() => own.batchNormGradient([other, x, one, one, one, one], 0), /must be alike/);
  });
});

describe('swish', () => {
  it('is x sigmoid(x) to 1e-6 of every value, from -80 to 80, with its gradient', () => {
    const x = tf.linspace(-80, 80, 16_003);
    const [value, gradient] = [own.swish(x), own.swishGradient(tf.onesLike(x), x)].map((t) =>
      t.dataSync<'float32'>(),
    );
    x.dataSync<'float32'>().forEach((at, i) => {
      const s = 1 / (1 + Math.exp(-at));
      const wanted = { value: at * s, gradient: s + at * s * (1 - s) };
      assert.ok(Math.abs(value![i]! - wanted.value) <= 1e-6 * Math.abs(wanted.value), `at ${at}`);
      assert.ok(Math.abs(gradient![i]! - wanted.gradient) <= 1e-6 * Math.min(1, s * (1 + Math.abs(at))), `gradient at ${at}`); // prettier-ignore
    });
  });

  it('ends where floats end: 0 and x far out, not a number stays so', () => {
    const x = tf.tensor1d([-Infinity, -1e30, -200, 200, 1e30, Infinity, NaN, 0]);
    const [negativeInfinity, ...rest] = own.swish(x).dataSync<'float32'>();
    assert.ok(!(negativeInfinity! > 0));
    assert.ok(Math.abs(rest[1]!) < 1e-30);
    assert.deepEqual([rest[2], rest[4], rest[5], rest[6]], [200, Infinity, NaN, 0]);
    assert.ok(Number.isNaN(own.swishGradient(x, x).dataSync<'float32'>()[6]!));
  });
});

describe('nesterov', () => {
  it('equals the plain formula for a list of shapes with their own decays', () => {
    const states = [[3, 3, 8, 17], [40], [300, 200]].map((shape, i) => ({
      value: random(shape, 3 * i),
      velocity: random(shape, 3 * i + 1),
      gradient: random(shape, 3 * i + 2),
      decay: i === 1 ? 0 : 0.05,
    }));
    const rates = { lr: 0.3, momentum: 0.9 };
    const wanted = plainNesterov(tf)(states, rates);
    own.nesterov(states, rates).forEach(({ value, velocity }, i) => {
      assertEqual(value, wanted[i]!.value, 1e-6);
      assertEqual(velocity, wanted[i]!.velocity, 1e-6);
    });
  });

  it('refuses a gradient of another shape', () => {
    const [value, gradient] = [tf.zeros([4]), tf.zeros([5])];
    const state = { value, velocity: value, gradient, decay: 0 };
    assert.throws(() => own.nesterov([state], { lr: 1, momentum: 0 }), /differ in shape/);
  });
});
