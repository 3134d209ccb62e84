import type * as tfjs from '@tensorflow/tfjs-core';
import type { Ops, Tensor } from '../ops.ts';
import type { OpAttribute, TensorFlowBackend } from '../tensorflow-backend.ts';
import { registerKernel, type Settings } from './kernel.ts';

type Window = Settings<'kernel' | 'stride'>;

/** Gradient of a convolution to its filter. */
export type FilterGradient = (x: Tensor, dy: Tensor, window: Window) => Tensor;

/** Windows from which on this project's own kernel is faster than TensorFlow's. */
const SMALLEST_OWN_WINDOW = 5;

/** Dense and depthwise convolution. */
export function convolutions(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  ownDepthwiseFilterGradient: FilterGradient | null,
): Pick<Ops, 'conv2d' | 'depthwiseConv2d'> {
  const register = (op: string, filterGradient: FilterGradient) =>
    registerKernel<'x' | 'filter', [Tensor, Tensor], 'kernel' | 'stride'>(tf, {
      name: op,
      saveInputs: ['x', 'filter'],
      forward: ({ x, filter }, window) => backend.run(op, attributes(backend, window), [x, filter]),
      backward: (dy, [x, filter], window) => ({
        x: () =>
          backend.run(`${op}BackpropInput`, attributes(backend, window), [
            backend.constant(x.shape),
            filter,
            dy,
          ]),
        filter: () => filterGradient(x, dy, window),
      }),
    });
  const dense = register('Conv2D', (x, dy, window) =>
    backend.run('Conv2DBackpropFilter', attributes(backend, window), [
      x,
      backend.constant([window.kernel, window.kernel, lastOf(x.shape), lastOf(dy.shape)]),
      dy,
    ]),
  );
  const depthwiseFilterGradient: FilterGradient = (x, dy, window) =>
    backend.run('DepthwiseConv2dNativeBackpropFilter', attributes(backend, window), [
      x,
      backend.constant([window.kernel, window.kernel, lastOf(x.shape), 1]),
      dy,
    ]);
  const depthwise = register('DepthwiseConv2dNative', (x, dy, window) =>
    ownDepthwiseFilterGradient !== null && window.kernel >= SMALLEST_OWN_WINDOW
      ? ownDepthwiseFilterGradient(x, dy, window)
      : depthwiseFilterGradient(x, dy, window),
  );
  const kernelOf = (filter: Tensor): number => filter.shape[0];
  return {
    conv2d: (x, filter, stride) => dense({ x, filter }, { kernel: kernelOf(filter), stride }),
    depthwiseConv2d: (x, filter, stride) =>
      depthwise({ x, filter }, { kernel: kernelOf(filter), stride }),
  };
}

/** Strides and symmetric padding. */
function attributes(backend: TensorFlowBackend, { kernel, stride }: Window): OpAttribute[] {
  const p = (kernel - 1) / 2;
  // At stride 1 'SAME' is the symmetric padding.
  const padding =
    stride === 1
      ? [backend.text('padding', 'SAME')]
      : [
          backend.text('padding', 'EXPLICIT'),
          backend.ints('explicit_paddings', [0, 0, p, p, p, p, 0, 0]),
        ];
  return [
    backend.type('T'),
    backend.ints('strides', [1, stride, stride, 1]),
    ...padding,
    backend.text('data_format', 'NHWC'),
    backend.ints('dilations', [1, 1, 1, 1]),
  ];
}

function lastOf(shape: readonly number[]): number {
  return shape.at(-1) as number;
}
