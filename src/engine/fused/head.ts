import type * as tfjs from '@tensorflow/tfjs-core';
import type { Ops, Tensor } from '../ops.ts';
import type { TensorFlowBackend } from '../tensorflow-backend.ts';
import { registerKernel, registerMany } from './kernel.ts';

/** Pooling, the fully connected layer and the loss. */
export function head(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
): Pick<Ops, 'globalAveragePool' | 'linear' | 'softCrossEntropy'> {
  return { ...pooling(tf, backend), ...linear(tf, backend), ...crossEntropy(tf, backend) };
}

function pooling(tf: typeof tfjs, backend: TensorFlowBackend): Pick<Ops, 'globalAveragePool'> {
  const { type } = backend;
  const pool = registerKernel<'x', [], 'height' | 'width'>(tf, {
    name: 'GlobalAveragePool',
    saveInputs: [],
    forward: ({ x }) => backend.reduceOverPixels('Mean', x),
    backward: (dy, _saved, { height, width }) => ({
      x: () => {
        const [batch, , , channels] = dy.shape as [number, number, number, number];
        const share = backend.run('Mul', [type('T')], [dy, backend.scalar(1 / (height * width))]);
        return backend.run(
          'BroadcastTo',
          [type('T'), type('Tidx', 'int32')],
          [share, backend.constant([batch, height, width, channels])],
        );
      },
    }),
  });
  return {
    globalAveragePool: (x) => {
      const [, height, width] = x.shape as [number, number, number, number];
      return pool({ x }, { height, width });
    },
  };
}

function linear(tf: typeof tfjs, { run, type, flag }: TensorFlowBackend): Pick<Ops, 'linear'> {
  const product = (a: Tensor, b: Tensor, transposed: 'a' | 'b' | 'neither'): Tensor =>
    run(
      'MatMul',
      [type('T'), flag('transpose_a', transposed === 'a'), flag('transpose_b', transposed === 'b')],
      [a, b],
    );
  const multiply = registerKernel<'x' | 'weight', [Tensor, Tensor]>(tf, {
    name: 'Linear',
    saveInputs: ['x', 'weight'],
    forward: ({ x, weight }) => product(x, weight, 'neither'),
    backward: (dy, [x, weight]) => ({
      x: () => product(dy, weight, 'b'),
      weight: () => product(x, dy, 'a'),
    }),
  });
  return { linear: (x, weight) => multiply({ x: tf.reshape(x, [x.shape[0], -1]), weight }, {}) };
}

function crossEntropy(
  tf: typeof tfjs,
  { runMany, type }: TensorFlowBackend,
): Pick<Ops, 'softCrossEntropy'> {
  // The operation's second output is the gradient of the summed loss to the logits.
  const loss = registerMany<'logits' | 'targets', [Tensor]>(tf, {
    name: 'SoftCrossEntropy',
    saveInputs: [],
    saveOutputs: [false, true],
    forward: ({ logits, targets }) => {
      const inputs = [logits, targets];
      const outputs = runMany('SoftmaxCrossEntropyWithLogits', [type('T')], inputs, 2);
      const [losses, gradient] = outputs as [Tensor, Tensor];
      return [tf.mean(losses), gradient];
    },
    backward: (dy, [gradient]) => ({
      logits: () => tf.mul(gradient, tf.div(dy, gradient.shape[0])),
      targets: () => tf.zerosLike(gradient),
    }),
  });
  return { softCrossEntropy: (logits, targets) => loss({ logits, targets }, {})[0] };
}
