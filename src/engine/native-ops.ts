import type * as tfjs from '@tensorflow/tfjs-core';
import { BATCH_NORM_EPSILON, type Moments, type Ops, type Tensor } from './ops.ts';
import type { TensorFlowBackend } from './tensorflow-backend.ts';

/** Kernel size and stride of a convolution. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
}

/**
 * This project's own kernels (`native/`), where TensorFlow's are slow or need several visits of
 * memory; float32, NHWC. No result depends on the number of threads. The scope owns the results.
 */
export interface OwnKernels {
  /** Gradient of a depthwise convolution to its filter; kernel 5 or 7, stride 1 or 2. */
  depthwiseFilterGradient(x: Tensor, dy: Tensor, window: Window): Tensor;
  /** Gradient of a depthwise convolution to its images; kernel up to 7. Of `x` only the shape counts. */
  depthwiseInputGradient(inputs: { x: Tensor; filter: Tensor; dy: Tensor }, window: Window): Tensor;
  /** Gradients of batch norm to x, gamma and beta; the moments are the batch's, variance biased. */
  batchNormGradient(
    inputs: { dy: Tensor; x: Tensor; gamma: Tensor },
    moments: Moments,
  ): [Tensor, Tensor, Tensor];
  swish(x: Tensor): Tensor;
  swishGradient(dy: Tensor, x: Tensor): Tensor;
  readonly nesterov: Ops['nesterov'];
}

/** For a TensorFlow that knows them only (`TensorFlow.ownOps`). */
export function ownKernels(tf: typeof tfjs, backend: TensorFlowBackend): OwnKernels {
  const { run, runMany } = backend;
  const attributes = ({ kernel, stride }: Window) => [backend.ints('window', [kernel, stride])];
  return {
    depthwiseFilterGradient: (x, dy, window) =>
      run('NniCreamDepthwiseFilterGradient', attributes(window), [x, dy]),
    depthwiseInputGradient: ({ x, filter, dy }, window) =>
      run('NniCreamDepthwiseInputGradient', attributes(window), [x, filter, dy]),
    batchNormGradient: ({ dy, x, gamma }, { mean, variance }) => {
      const epsilon = [backend.float('epsilon', BATCH_NORM_EPSILON)];
      const outputs = runMany(
        'NniCreamBatchNormGradient',
        epsilon,
        [dy, x, gamma, mean, variance],
        3,
      );
      return outputs as [Tensor, Tensor, Tensor];
    },
    swish: (x) => run('NniCreamSwish', [], [x]),
    swishGradient: (dy, x) => run('NniCreamSwishGradient', [], [dy, x]),
    nesterov: (states, { lr, momentum }) => {
      const n = states.length;
      const rates = tf.tensor1d([lr, momentum, ...states.map(({ decay }) => decay)]);
      const inputs = (['value', 'velocity', 'gradient'] as const).flatMap((part) =>
        states.map((state) => state[part]),
      );
      const outputs = runMany('NniCreamNesterov', [backend.int('N', n)], [rates, ...inputs], 2 * n);
      rates.dispose();
      return states.map((_, i) => ({
        value: outputs[i] as Tensor,
        velocity: outputs[n + i] as Tensor,
      }));
    },
  };
}
