import type * as tfjs from '@tensorflow/tfjs-core';
import { normaliseOf, ownBatchNorm, tensorFlowBatchNorm } from './fused/batch-norm.ts';
import { convolutions } from './fused/convolution.ts';
import { elementwise } from './fused/elementwise.ts';
import { head } from './fused/head.ts';
import { plainAdamW, plainNesterov } from './plain-ops.ts';
import type { OwnKernels } from './native-ops.ts';
import type { Ops } from './ops.ts';
import type { TensorFlowBackend } from './tensorflow-backend.ts';

/**
 * {@link Ops} from TensorFlow's fused kernels, called by name, as kernels and gradients registered
 * with TensorFlow.js: its own batch norm, activation and mean gradients are 5 to 70 times slower.
 */
export function fusedOps(tf: typeof tfjs, backend: TensorFlowBackend, own: OwnKernels | null): Ops {
  const activations = elementwise(tf, backend, own);
  return {
    ...convolutions(tf, backend, own),
    ...activations,
    batchNorm:
      own === null ? tensorFlowBatchNorm(tf, backend, activations) : ownBatchNorm(tf, backend, own),
    normalise: normaliseOf(tf, backend),
    ...head(tf, backend),
    add: (a, b) => tf.add(a, b),
    softmax: (logits) => tf.softmax(logits),
    sumOfSquares: (tensors) => {
      const halves = tensors.map((tensor) => backend.run('L2Loss', [backend.type('T')], [tensor]));
      return tf.mul(tf.addN(halves), 2);
    },
    nesterov: own?.nesterov ?? plainNesterov(tf),
    adamW: plainAdamW(tf),
  };
}
