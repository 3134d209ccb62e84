import type * as tfjs from '@tensorflow/tfjs-core';
import type { OwnKernels, Window } from '../native-ops.ts';
import type { Ops, Tensor } from '../ops.ts';
import type { OpAttribute, TensorFlowBackend } from '../tensorflow-backend.ts';
import { registerKernel, type Settings } from './kernel.ts';

/** How to compute a convolution's two gradients. */
interface Gradients {
  input(inputs: { x: Tensor; filter: Tensor; dy: Tensor }, window: Window): Tensor;
  filter(x: Tensor, dy: Tensor, window: Window): Tensor;
}

/** Windows from which on TensorFlow's own depthwise gradients are the slower ones. */
const LARGE_WINDOW = 5;

/** Dense and depthwise convolution. */
export function convolutions(
  tf: typeof tfjs,
  backend: TensorFlowBackend,
  own: OwnKernels | null,
): Pick<Ops, 'conv2d' | 'depthwiseConv2d'> {
  const register = (op: string, gradients: Gradients) =>
    registerKernel<'x' | 'filter', [Tensor, Tensor], 'kernel' | 'stride'>(tf, {
      name: op,
      saveInputs: ['x', 'filter'],
      forward: ({ x, filter }, window) => backend.run(op, attributes(backend, window), [x, filter]),
      backward: (dy, [x, filter], window) => ({
        x: () => gradients.input({ x, filter, dy }, window),
        filter: () => gradients.filter(x, dy, window),
      }),
    });
  const dense = register('Conv2D', denseGradients(tf, backend));
  const depthwise = register('DepthwiseConv2dNative', depthwiseGradients(backend, own));
  const window = (filter: Tensor, stride: number): Settings<'kernel' | 'stride'> => ({
    kernel: filter.shape[0],
    stride,
  });
  return {
    conv2d: (x, filter, stride) => dense({ x, filter }, window(filter, stride)),
    depthwiseConv2d: (x, filter, stride) => depthwise({ x, filter }, window(filter, stride)),
  };
}

function tensorFlowGradients(
  backend: TensorFlowBackend,
  op: 'Conv2D' | 'DepthwiseConv2dNative',
): Gradients {
  return {
    input: ({ x, filter, dy }, window) =>
      backend.run(`${op}BackpropInput`, attributes(backend, window), [
        backend.constant(x.shape),
        filter,
        dy,
      ]),
    filter: (x, dy, window) => {
      const { kernel } = window;
      const multiplier = op === 'Conv2D' ? lastOf(dy.shape) : 1;
      return backend.run(`${op}BackpropFilter`, attributes(backend, window), [
        x,
        backend.constant([kernel, kernel, lastOf(x.shape), multiplier]),
        dy,
      ]);
    },
  };
}

/** A pointwise convolution's filter gradient is one matrix product, which TensorFlow does faster. */
function denseGradients(tf: typeof tfjs, backend: TensorFlowBackend): Gradients {
  const tensorFlow = tensorFlowGradients(backend, 'Conv2D');
  const flat = (t: Tensor): Tensor => tf.reshape(t, [-1, lastOf(t.shape)]);
  const product = [
    backend.type('T'),
    backend.flag('transpose_a', true),
    backend.flag('transpose_b', false),
  ];
  return {
    ...tensorFlow,
    filter: (x, dy, window) => {
      if (window.kernel > 1 || window.stride > 1) return tensorFlow.filter(x, dy, window);
      const gradient = backend.run('MatMul', product, [flat(x), flat(dy)]);
      return tf.reshape(gradient, [1, 1, ...gradient.shape]);
    },
  };
}

/** The fastest way for each window, as measured at the shapes of the shipped skeletons. */
function depthwiseGradients(backend: TensorFlowBackend, own: OwnKernels | null): Gradients {
  const tensorFlow = tensorFlowGradients(backend, 'DepthwiseConv2dNative');
  return {
    input: (inputs, window) => {
      if (window.stride > 1)
        return (own?.depthwiseInputGradient ?? tensorFlow.input)(inputs, window);
      if (window.kernel < LARGE_WINDOW) return tensorFlow.input(inputs, window);
      return reversedConvolution(backend, inputs, window);
    },
    filter: (x, dy, window) =>
      own !== null && window.kernel >= LARGE_WINDOW
        ? own.depthwiseFilterGradient(x, dy, window)
        : tensorFlow.filter(x, dy, window),
  };
}

/** At stride 1 the gradient to the images is a convolution itself, with the window turned around. */
function reversedConvolution(
  backend: TensorFlowBackend,
  { filter, dy }: { filter: Tensor; dy: Tensor },
  window: Window,
): Tensor {
  const reversed = backend.run(
    'ReverseV2',
    [backend.type('Tidx', 'int32'), backend.type('T')],
    [filter, backend.constant([0, 1])],
  );
  return backend.run('DepthwiseConv2dNative', attributes(backend, window), [dy, reversed]);
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
