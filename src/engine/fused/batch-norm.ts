import type * as tfjs from '@tensorflow/tfjs-core';
import type { OwnKernels } from '../native-ops.ts';
import { BATCH_NORM_EPSILON, type Ops, type Tensor } from '../ops.ts';
import type { OpAttribute, TensorFlowBackend } from '../tensorflow-backend.ts';
import { registerMany } from './kernel.ts';

type Reserved = [Tensor, Tensor, Tensor];

/** Batch norm by the batch's moments, or by given ones. */
export function batchNorms(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  own: OwnKernels | null,
): Pick<Ops, 'batchNorm' | 'normalise'> {
  const gradient = gradientOf(backend, own);
  const training = registerMany<
    'x' | 'gamma' | 'beta' | 'mean' | 'variance',
    [Tensor, Tensor, ...Reserved],
    'factor'
  >(tf, {
    name: 'BatchNorm',
    saveInputs: ['x', 'gamma'],
    saveOutputs: [false, false, false, true, true, true],
    forward: ({ x, gamma, beta, mean, variance }, { factor }) =>
      backend.runMany(
        'FusedBatchNormV3',
        [...attributes(backend, true), backend.float('exponential_avg_factor', factor)],
        [x, gamma, beta, mean, variance],
        6,
      ),
    backward: (dy, [x, gamma, ...reserved]) => {
      const [dx, dGamma, dBeta] = gradient({ dy, x, gamma }, reserved);
      const none = () => tf.zerosLike(dGamma);
      return { x: () => dx, gamma: () => dGamma, beta: () => dBeta, mean: none, variance: none };
    },
  });
  return {
    batchNorm: (x, affine, moving) => {
      const moments = moving?.previous ?? backend.noMoments;
      const inputs = { x, ...affine, ...moments };
      const [y, mean, variance] = training(inputs, { factor: moving?.factor ?? 1 });
      return { y, moments: { mean, variance } };
    },
    normalise: (x, { gamma, beta }, { mean, variance }) => {
      const inputs = [x, gamma, beta, mean, variance];
      const outputs = backend.runMany('FusedBatchNormV3', attributes(backend, false), inputs, 6);
      const [y, ...rest] = outputs as [Tensor, ...Tensor[]];
      tf.dispose(rest);
      return y;
    },
  };
}

/** Gradients to x, gamma and beta; on processors `reserved` starts with mean and biased variance. */
function gradientOf(
  backend: TensorFlowBackend,
  own: OwnKernels | null,
): (
  inputs: { dy: Tensor; x: Tensor; gamma: Tensor },
  reserved: Reserved,
) => [Tensor, Tensor, Tensor] {
  if (own !== null) {
    return (inputs, [mean, variance]) => own.batchNormGradient(inputs, { mean, variance });
  }
  return ({ dy, x, gamma }, reserved) =>
    backend.runMany(
      'FusedBatchNormGradV3',
      attributes(backend, true),
      [dy, x, gamma, ...reserved],
      5,
    ) as [Tensor, Tensor, Tensor];
}

function attributes(backend: TensorFlowBackend, training: boolean): OpAttribute[] {
  return [
    backend.type('T'),
    backend.type('U'),
    backend.float('epsilon', BATCH_NORM_EPSILON),
    backend.text('data_format', 'NHWC'),
    backend.flag('is_training', training),
  ];
}
