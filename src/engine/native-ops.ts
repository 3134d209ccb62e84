import type * as tfjs from '@tensorflow/tfjs-core';
import { BATCH_NORM_EPSILON, type Ops, type Tensor } from './ops.ts';
import type { TensorFlowBackend } from './tensorflow-backend.ts';

/** Kernel size and stride of a convolution. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
}

/**
 * This project's own kernels (`native/`), where TensorFlow's are slow or need several passes over
 * memory; float32, NHWC. No result depends on the number of threads. The scope owns the results.
 */
export interface OwnKernels {
  /** Gradient of a depthwise convolution to its filter; kernel 5 or 7, stride 1 or 2. */
  depthwiseFilterGradient(x: Tensor, dy: Tensor, window: Window): Tensor;
  /** Gradient of a depthwise convolution to its images; kernel up to 7. Of `x` only the shape counts. */
  depthwiseInputGradient(inputs: { x: Tensor; filter: Tensor; dy: Tensor }, window: Window): Tensor;
  /**
   * Batch norm by the batch's moments and the activation (an index of `ACTIVATIONS`) behind it:
   * y, the moving moments, then the batch's mean and biased variance. The moving moments that go in
   * may be empty where `factor` is 1.
   */
  batchNorm(
    inputs: [x: Tensor, gamma: Tensor, beta: Tensor, movingMean: Tensor, movingVariance: Tensor],
    settings: { readonly factor: number; readonly activation: number },
  ): Tensor[];
  /** Its gradients to x, gamma and beta. */
  batchNormGradient(
    inputs: [dy: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor],
    activation: number,
  ): Tensor[];
  swish(x: Tensor): Tensor;
  swishGradient(dy: Tensor, x: Tensor): Tensor;
  readonly nesterov: Ops['nesterov'];
}

/** Only for a TensorFlow with these operations (`TensorFlow.ownOps`). */
export function ownKernels(tf: typeof tfjs, backend: TensorFlowBackend): OwnKernels {
  const { run, runMany, int, float } = backend;
  const attributes = ({ kernel, stride }: Window) => [backend.ints('window', [kernel, stride])];
  const batchNormAttributes = (activation: number) => [
    float('epsilon', BATCH_NORM_EPSILON),
    int('activation', activation),
  ];
  return {
    depthwiseFilterGradient: (x, dy, window) =>
      run('NniCreamDepthwiseFilterGradient', attributes(window), [x, dy]),
    depthwiseInputGradient: ({ x, filter, dy }, window) =>
      run('NniCreamDepthwiseInputGradient', attributes(window), [x, filter, dy]),
    batchNorm: (inputs, { factor, activation }) =>
      runMany(
        'NniCreamBatchNorm',
        [...batchNormAttributes(activation), float('factor', factor)],
        inputs,
        5,
      ),
    batchNormGradient: (inputs, activation) =>
      runMany('NniCreamBatchNormGradient', batchNormAttributes(activation), inputs, 3),
    swish: (x) => run('NniCreamSwish', [], [x]),
    swishGradient: (dy, x) => run('NniCreamSwishGradient', [], [dy, x]),
    nesterov: (states, { lr, momentum }) => {
      const n = states.length;
      const rates = tf.tensor1d([lr, momentum, ...states.map(({ decay }) => decay)]);
      const inputs = (['value', 'velocity', 'gradient'] as const).flatMap((part) =>
        states.map((state) => state[part]),
      );
      const outputs = runMany('NniCreamNesterov', [int('N', n)], [rates, ...inputs], 2 * n);
      rates.dispose();
      return states.map((_, i) => ({
        value: outputs[i] as Tensor,
        velocity: outputs[n + i] as Tensor,
      }));
    },
  };
}
