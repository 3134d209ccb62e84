import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { TensorFlow } from '../../src/engine/load.ts';
import { loadTensorFlow } from '../../src/engine/load.ts';
import { ownDepthwiseFilterGradient } from '../../src/engine/native-ops.ts';
import type { TensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';
import { tensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';

const CASES = [
  { batch: 3, size: 9, channels: 64, kernel: 5, stride: 1 },
  { batch: 2, size: 8, channels: 40, kernel: 5, stride: 2 },
  { batch: 2, size: 7, channels: 5, kernel: 5, stride: 2 },
  { batch: 5, size: 3, channels: 96, kernel: 5, stride: 1 },
  { batch: 2, size: 11, channels: 33, kernel: 7, stride: 1 },
  { batch: 2, size: 12, channels: 32, kernel: 7, stride: 2 },
] as const;

describe('ownDepthwiseFilterGradient', () => {
  let loaded: TensorFlow;
  let backend: TensorFlowBackend;
  before(async () => {
    loaded = await loadTensorFlow({ engine: 'cpu', environment: process.env });
    backend = tensorFlowBackend(loaded.tf);
  });

  for (const { batch, size, channels, kernel, stride } of CASES) {
    it(`equals TensorFlow's for ${size}x${size}x${channels}, window ${kernel}, stride ${stride}`, () => {
      const { tf, ops } = loaded;
      assert.ok(ops.depthwiseFilterGradient, 'the own operations are not installed');
      const output = Math.ceil(size / stride);
      const border = (kernel - 1) / 2;
      const x = tf.randomNormal([batch, size, size, channels], 0, 1, 'float32', 1);
      const dy = tf.randomNormal([batch, output, output, channels], 0, 1, 'float32', 2);
      const own = ownDepthwiseFilterGradient(backend)(x, dy, { kernel, stride });
      const reference = backend.run(
        'DepthwiseConv2dNativeBackpropFilter',
        [
          backend.type('T'),
          backend.ints('strides', [1, stride, stride, 1]),
          backend.text('padding', 'EXPLICIT'),
          backend.ints('explicit_paddings', [0, 0, border, border, border, border, 0, 0]),
          backend.text('data_format', 'NHWC'),
          backend.ints('dilations', [1, 1, 1, 1]),
        ],
        [x, backend.constant([kernel, kernel, channels, 1]), dy],
      );
      assert.deepEqual(own.shape, [kernel, kernel, channels, 1]);
      const difference = tf.max(tf.abs(tf.sub(own, reference))).dataSync<'float32'>()[0]!;
      const scale = tf.max(tf.abs(reference)).dataSync<'float32'>()[0]!;
      assert.ok(difference <= 1e-5 * scale, `differs by ${difference} of ${scale}`);
    });
  }

  it('refuses a gradient that does not belong to the images', () => {
    const { tf } = loaded;
    const gradient = ownDepthwiseFilterGradient(backend);
    const x = tf.zeros([1, 8, 8, 32]);
    const dy = tf.zeros([1, 8, 8, 32]);
    assert.throws(() => gradient(x, dy, { kernel: 5, stride: 2 }), /does not belong to x/);
    assert.throws(() => gradient(x, dy, { kernel: 3, stride: 1 }), /kernel must be 5 or 7, not 3/);
  });
});
