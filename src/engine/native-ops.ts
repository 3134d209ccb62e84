import type { DepthwiseFilterGradient } from './fused/convolution.ts';
import type { TensorFlowBackend } from './tensorflow-backend.ts';

/** Smallest window from which on the own kernel is faster than TensorFlow's. */
export const SMALLEST_OWN_WINDOW = 5;

/**
 * This project's gradient of a depthwise convolution with respect to its filter: `x` and `dy` are
 * float32 NHWC, the window is 5 or 7 with stride 1 or 2 and symmetric padding, the result is
 * `[kernel, kernel, channels, 1]`. Only for a TensorFlow that knows it (`TensorFlow.ops`).
 */
export function ownDepthwiseFilterGradient(backend: TensorFlowBackend): DepthwiseFilterGradient {
  return (x, dy, { kernel, stride }) =>
    backend.run(
      'NniCreamDepthwiseFilterGradient',
      [backend.ints('window', [kernel, stride])],
      [x, dy],
    );
}
