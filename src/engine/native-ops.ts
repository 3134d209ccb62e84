import type { FilterGradient } from './fused/convolution.ts';
import type { TensorFlowBackend } from './tensorflow-backend.ts';

/**
 * This project's gradient of a depthwise convolution with respect to its filter: `x` and `dy` are
 * float32 NHWC, the window is 5 or 7 with stride 1 or 2 and symmetric padding, the result is
 * `[kernel, kernel, channels, 1]`. Only for a TensorFlow that knows it (`TensorFlow.ops`).
 */
export function ownDepthwiseFilterGradient(backend: TensorFlowBackend): FilterGradient {
  return (x, dy, { kernel, stride }) =>
    backend.run(
      'NniCreamDepthwiseFilterGradient',
      [backend.ints('window', [kernel, stride])],
      [x, dy],
    );
}
