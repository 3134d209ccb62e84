import type * as tfjs from '@tensorflow/tfjs-core';
import type { Ops, Tensor } from './ops.ts';

/** A loss that has been differentiated. The caller owns every tensor. */
export interface Differentiated {
  /** Scalar. */
  readonly loss: Tensor;
  /** Other outputs of the forward pass. */
  readonly outputs: readonly Tensor[];
  /** One for each variable, of its shape. */
  readonly gradients: readonly Tensor[];
}

/** Elementary operations, differentiable in each tensor; float32. The caller owns the results. */
export interface Arithmetic {
  add(a: Tensor | number, b: Tensor | number): Tensor;
  subtract(a: Tensor | number, b: Tensor | number): Tensor;
  /** Element by element. */
  multiply(a: Tensor | number, b: Tensor | number): Tensor;
  /** Over all elements: a scalar. */
  sum(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  /** 1 / sqrt(x). */
  rsqrt(x: Tensor): Tensor;
  /** As one axis. */
  flatten(x: Tensor): Tensor;
}

/** Computes with tensors; hides the library from the algorithms. */
export interface Engine {
  /** Such as `TensorFlow 2.21.0 (cpu)`. */
  readonly version: string;
  readonly ops: Ops;
  /** Uploads numbers; do not change the array while the tensor lives. The caller owns the tensor. */
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  /** Downloads numbers; waits for the device. */
  read(tensor: Tensor): Float32Array;
  /** Disposes of every tensor made inside `work`, except what it returns or keeps. */
  scope<T extends tfjs.TensorContainer>(work: () => T): T;
  /** Keeps a tensor beyond the enclosing scopes. The caller owns it from now on. */
  keep(tensor: Tensor): Tensor;
  dispose(tensors: Iterable<Tensor>): void;
  /** First-order gradients of `forward`'s loss with respect to `variables`. */
  differentiate(
    variables: readonly Tensor[],
    forward: () => { loss: Tensor; outputs?: readonly Tensor[] },
  ): Differentiated;
  /** a x + y, a new tensor. The caller owns it. */
  addScaled(y: Tensor, a: number, x: Tensor): Tensor;
  /** Euclidean norm over all elements of all tensors; waits for the device. */
  norm(tensors: readonly Tensor[]): number;
  /** Elementary operations for losses. */
  readonly math: Arithmetic;
  /** Live tensors, for leak tests. */
  tensorCount(): number;
}

/** Builds the engine on an initialised TensorFlow.js namespace. */
export function createEngine(
  tf: typeof tfjs,
  { version, ops }: Pick<Engine, 'version' | 'ops'>,
): Engine {
  return {
    version,
    ops,
    tensor: (values, shape) => tf.tensor(values, [...shape], 'float32'),
    read: (tensor) => tensor.dataSync<'float32'>(),
    scope: (work) => scope(tf, work),
    keep: (tensor) => tf.keep(tensor),
    dispose: (tensors) => {
      tf.dispose([...tensors]);
    },
    differentiate: (variables, forward) => {
      let outputs: readonly Tensor[] = [];
      const { value, grads } = tf.engine().gradients(() => {
        const pass = forward();
        outputs = (pass.outputs ?? []).map((output) => tf.keep(output));
        return pass.loss;
      }, [...variables]);
      return { loss: tf.keep(value), outputs, gradients: grads.map((grad) => tf.keep(grad)) };
    },
    addScaled: (y, a, x) => tf.tidy(() => tf.add(y, tf.mul(x, a))),
    norm: (tensors) =>
      tf.tidy(() => Math.sqrt(ops.sumOfSquares(tensors).dataSync<'float32'>()[0] ?? NaN)),
    math: {
      add: (a, b) => tf.add(a, b),
      subtract: (a, b) => tf.sub(a, b),
      multiply: (a, b) => tf.mul(a, b),
      sum: (x) => tf.sum(x),
      sigmoid: (x) => tf.sigmoid(x),
      tanh: (x) => tf.tanh(x),
      rsqrt: (x) => tf.rsqrt(x),
      flatten: (x) => tf.reshape(x, [-1]),
    },
    tensorCount: () => tf.memory().numTensors,
  };
}

/** `tf.tidy` would walk every element of a typed array in search of tensors. */
function scope<T extends tfjs.TensorContainer>(tf: typeof tfjs, work: () => T): T {
  let numbers: T | undefined;
  const tensors = tf.tidy((): tfjs.TensorContainer => {
    const result = work();
    if (!ArrayBuffer.isView(result)) return result;
    numbers = result;
    return 0;
  });
  return numbers ?? (tensors as T);
}
