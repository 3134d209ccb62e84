import type * as tfjs from '@tensorflow/tfjs-core';
import type { Moments, Tensor } from './ops.ts';

/** Attribute of a TensorFlow operation, as the native binding takes it. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: boolean | number | string | number[];
}

/** The part of tfjs-node's backend that runs any TensorFlow operation by name. */
interface NodeBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: Tensor[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OpAttribute[],
    inputs: Tensor[],
    outputs: number,
  ): Tensor[];
}

/** Typed access to TensorFlow's operations by name, with the constants that they need. */
export interface TensorFlowBackend {
  /** Runs an operation with one output; the current scope owns the result. */
  readonly run: (op: string, attributes: OpAttribute[], inputs: Tensor[]) => Tensor;
  /** Runs an operation with several outputs; the current scope owns the results. */
  readonly runMany: (
    op: string,
    attributes: OpAttribute[],
    inputs: Tensor[],
    outputs: number,
  ) => Tensor[];
  readonly type: (name: string, type?: 'float32' | 'int32') => OpAttribute;
  readonly float: (name: string, value: number) => OpAttribute;
  readonly flag: (name: string, value: boolean) => OpAttribute;
  readonly text: (name: string, value: string) => OpAttribute;
  readonly int: (name: string, value: number) => OpAttribute;
  readonly ints: (name: string, value: number[]) => OpAttribute;
  /** `[batch, height, width, channels]` to `[batch, 1, 1, channels]`. */
  readonly reduceOverPixels: (op: 'Mean' | 'Sum', x: Tensor) => Tensor;
  /** `int32 [values.length]`: shapes and axes; the current scope owns it. */
  readonly constant: (values: readonly number[]) => Tensor;
  /** `float32 []`, made once and kept: for settings, not for numbers that change. */
  readonly scalar: (value: number) => Tensor;
  /** Empty moments: what FusedBatchNormV3 takes where nothing moves. */
  readonly noMoments: Moments;
}

/** Wraps the loaded native backend of `tf`. */
export function tensorFlowBackend(tf: typeof tfjs): TensorFlowBackend {
  const native = tf.backend() as unknown as NodeBackend;
  const code = (name: string): number => native.binding[name] as number;
  const attribute =
    (type: string) =>
    (name: string, value: OpAttribute['value']): OpAttribute => ({
      name,
      type: code(`TF_ATTR_${type}`),
      value,
    });
  const typed = attribute('TYPE');
  const kept = new Map<number, Tensor>();
  const scalar: TensorFlowBackend['scalar'] = (value) => {
    const known = kept.get(value) ?? tf.keep(tf.scalar(value));
    kept.set(value, known);
    return known;
  };
  const run: TensorFlowBackend['run'] = (op, attributes, inputs) =>
    native.executeSingleOutput(op, attributes, inputs);
  const type: TensorFlowBackend['type'] = (name, dtype = 'float32') =>
    typed(name, code(dtype === 'float32' ? 'TF_FLOAT' : 'TF_INT32'));
  const flag = attribute('BOOL');
  const constant: TensorFlowBackend['constant'] = (values) => tf.tensor1d([...values], 'int32');
  const empty = tf.keep(tf.tensor1d([]));
  return {
    run,
    runMany: (op, attributes, inputs, outputs) =>
      native.executeMultipleOutputs(op, attributes, inputs, outputs),
    type,
    float: attribute('FLOAT'),
    flag,
    text: attribute('STRING'),
    int: attribute('INT'),
    ints: attribute('INT'),
    reduceOverPixels: (op, x) =>
      run(op, [type('T'), type('Tidx', 'int32'), flag('keep_dims', true)], [x, constant([1, 2])]),
    constant,
    scalar,
    noMoments: { mean: empty, variance: empty },
  };
}
