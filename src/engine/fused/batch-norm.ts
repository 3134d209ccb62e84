import type * as tfjs from '@tensorflow/tfjs-core';
import type { OwnKernels } from '../native-ops.ts';
import { ACTIVATIONS, BATCH_NORM_EPSILON, type Ops, type Tensor } from '../ops.ts';
import type { OpAttribute, TensorFlowBackend } from '../tensorflow-backend.ts';
import { registerMany } from './kernel.ts';

type Input = 'x' | 'gamma' | 'beta' | 'mean' | 'variance';

/** Batch norm by the batch's moments, the activation behind it within the same kernel. */
export function ownBatchNorm(
  tf: typeof tfjs,
  { noMoments }: TensorFlowBackend,
  own: OwnKernels,
): Ops['batchNorm'] {
  const training = registerMany<
    Input,
    [Tensor, Tensor, Tensor, Tensor, Tensor],
    'factor' | 'activation'
  >(tf, {
    name: 'ActivatedBatchNorm',
    saveInputs: ['x', 'gamma', 'beta'],
    saveOutputs: [false, false, false, true, true],
    forward: ({ x, gamma, beta, mean, variance }, settings) =>
      own.batchNorm([x, gamma, beta, mean, variance], settings),
    backward: (dy, saved, { activation }) =>
      gradientsOf(tf, own.batchNormGradient([dy, ...saved], activation)),
  });
  return (x, affine, { activation = 'none', moving } = {}) => {
    const inputs = { x, ...affine, ...(moving?.previous ?? noMoments) };
    const settings = { factor: moving?.factor ?? 1, activation: ACTIVATIONS.indexOf(activation) };
    const [y, mean, variance] = training(inputs, settings);
    return { y, moments: { mean, variance } };
  };
}

/** The same out of TensorFlow's kernels. */
export function tensorFlowBatchNorm(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  activations: Pick<Ops, 'relu' | 'swish'>,
): Ops['batchNorm'] {
  const training = registerMany<Input, [Tensor, Tensor, Tensor, Tensor, Tensor], 'factor'>(tf, {
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
    backward: (dy, saved) =>
      gradientsOf(
        tf,
        backend.runMany('FusedBatchNormGradV3', attributes(backend, true), [dy, ...saved], 5),
      ),
  });
  return (x, affine, { activation = 'none', moving } = {}) => {
    const inputs = { x, ...affine, ...(moving?.previous ?? backend.noMoments) };
    const [z, mean, variance] = training(inputs, { factor: moving?.factor ?? 1 });
    const y = activation === 'none' ? z : activations[activation](z);
    return { y, moments: { mean, variance } };
  };
}

/** Normalisation by given moments. */
export function normaliseOf(tf: typeof tfjs, backend: TensorFlowBackend): Ops['normalise'] {
  return (x, { gamma, beta }, { mean, variance }) => {
    const inputs = [x, gamma, beta, mean, variance];
    const outputs = backend.runMany('FusedBatchNormV3', attributes(backend, false), inputs, 6);
    const [y, ...rest] = outputs as [Tensor, ...Tensor[]];
    tf.dispose(rest);
    return y;
  };
}

/** Names a kernel's outputs; nothing is differentiated with respect to the moving moments. */
function gradientsOf(tf: typeof tfjs, outputs: readonly Tensor[]): Record<Input, () => Tensor> {
  const [dx, dGamma, dBeta] = outputs as [Tensor, Tensor, Tensor];
  const none = () => tf.zerosLike(dGamma);
  return { x: () => dx, gamma: () => dGamma, beta: () => dBeta, mean: none, variance: none };
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
