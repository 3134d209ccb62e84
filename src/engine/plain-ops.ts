import type * as tfjs from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { BATCH_NORM_EPSILON, type Affine, type Moments, type Ops, type Tensor } from './ops.ts';

type Tf = typeof tfjs;

/** {@link Ops} from TensorFlow.js's own operations and gradients: slow, and true on any backend. */
export function plainOps(tf: Tf): Ops {
  const padded = (x: Tensor, kernel: number): Tensor4D => {
    const p = (kernel - 1) / 2;
    return tf.pad4d(x as Tensor4D, [[0, 0], [p, p], [p, p], [0, 0]]); // prettier-ignore
  };
  const normalise = (x: Tensor, { gamma, beta }: Affine, { mean, variance }: Moments): Tensor =>
    tf.add(
      tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON))), gamma),
      beta,
    );
  const maps = elementwise(tf);
  return {
    ...maps,
    normalise,
    conv2d: (x, filter, stride) =>
      tf.conv2d(padded(x, filter.shape[0]), filter as Tensor4D, stride, 'valid'),
    depthwiseConv2d: (x, filter, stride) =>
      tf.depthwiseConv2d(padded(x, filter.shape[0]), filter as Tensor4D, stride, 'valid'),
    batchNorm: (x, affine, { activation = 'none', moving } = {}) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const z = normalise(x, affine, { mean, variance });
      const y = activation === 'none' ? z : maps[activation](z);
      const count = x.size / (x.shape[3] as number);
      const unbiased = tf.mul(variance, count / (count - 1));
      if (moving === undefined) return { y, moments: { mean, variance: unbiased } };
      const blend = (old: Tensor, batch: Tensor): Tensor =>
        tf.add(tf.mul(old, 1 - moving.factor), tf.mul(batch, moving.factor));
      const { previous } = moving;
      const moments = {
        mean: blend(previous.mean, mean),
        variance: blend(previous.variance, unbiased),
      };
      return { y, moments };
    },
    linear: (x, weight) => tf.matMul(tf.reshape(x, [x.shape[0], -1]), weight),
    sumOfSquares: (tensors) => tf.addN(tensors.map((t) => tf.sum(tf.square(t)))),
    nesterov: plainNesterov(tf),
    adamW: plainAdamW(tf),
  };
}

/** The optimizer's step out of TensorFlow.js's operations. */
export function plainNesterov(tf: Tf): Ops['nesterov'] {
  return (states, { lr, momentum }) =>
    states.map(({ value, velocity, gradient, decay }) => {
      const g = tf.add(gradient, tf.mul(value, decay));
      const v = tf.add(tf.mul(velocity, momentum), g);
      const step = tf.add(g, tf.mul(v, momentum));
      return { value: tf.sub(value, tf.mul(step, lr)), velocity: v };
    });
}

const ADAM_EPSILON = 1e-8;

/** AdamW's step out of TensorFlow.js's operations. */
export function plainAdamW(tf: Tf): Ops['adamW'] {
  return ({ value, mean, square, gradient, decay, steps }, { lr, beta1, beta2 }) => {
    const m = tf.add(tf.mul(mean, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(square, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const size = tf.add(tf.sqrt(tf.mul(v, 1 / (1 - beta2 ** steps))), ADAM_EPSILON);
    const step = tf.div(tf.mul(m, lr / (1 - beta1 ** steps)), size);
    return { value: tf.sub(tf.mul(value, 1 - lr * decay), step), mean: m, square: v };
  };
}

function elementwise(
  tf: Tf,
): Omit<
  Ops,
  | 'conv2d'
  | 'depthwiseConv2d'
  | 'batchNorm'
  | 'normalise'
  | 'linear'
  | 'sumOfSquares'
  | 'nesterov'
  | 'adamW'
> {
  return {
    relu: (x) => tf.relu(x),
    swish: (x) => tf.mul(x, tf.sigmoid(x)),
    hardSigmoid: (x) => tf.div(tf.clipByValue(tf.add(x, 3), 0, 6), 6),
    globalAveragePool: (x) => tf.mean(x, [1, 2], true),
    add: (a, b) => tf.add(a, b),
    gate: (x, gate) => tf.mul(x, gate),
    biasAdd: (x, bias) => tf.add(x, bias),
    softmax: (logits) => tf.softmax(logits),
    softCrossEntropy: (logits, targets) =>
      tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), -1))),
  };
}
