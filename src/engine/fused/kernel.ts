import type * as tfjs from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Integer and float settings of a kernel. */
export type Settings<Name extends string = string> = Readonly<Record<Name, number>>;

/**
 * One operation: what TensorFlow runs forward and backward.
 *
 * `Input` names its inputs, `Saved` is what backward gets: the saved inputs, then saved outputs.
 */
export interface FusedKernel<
  Input extends string,
  Saved extends readonly Tensor[],
  Setting extends string = never,
> {
  readonly name: string;
  readonly saveInputs: readonly Input[];
  /** Which of the outputs to save, by position. */
  readonly saveOutputs?: readonly boolean[];
  readonly forward: (
    inputs: Readonly<Record<Input, Tensor>>,
    settings: Settings<Setting>,
  ) => Tensor | Tensor[];
  /** Gradients by input; each is computed only where it is needed. */
  readonly backward: (
    dy: Tensor,
    saved: Saved,
    settings: Settings<Setting>,
  ) => Readonly<Record<Input, () => Tensor>>;
}

/** A registered kernel: call it with its inputs and settings; the scope owns the outputs. */
export type KernelCall<Input extends string, Setting extends string, Output> = (
  inputs: Readonly<Record<Input, Tensor>>,
  settings: Settings<Setting>,
) => Output;

/** Registers a kernel of one output and its gradient with TensorFlow.js. */
export function registerKernel<
  Input extends string,
  Saved extends readonly Tensor[],
  Setting extends string = never,
>(tf: typeof tfjs, kernel: FusedKernel<Input, Saved, Setting>): KernelCall<Input, Setting, Tensor> {
  return register(tf, kernel) as KernelCall<Input, Setting, Tensor>;
}

/** Registers a kernel of several outputs; only the first is differentiated. */
export function registerMany<
  Input extends string,
  Saved extends readonly Tensor[],
  Setting extends string = never,
>(
  tf: typeof tfjs,
  kernel: FusedKernel<Input, Saved, Setting>,
): KernelCall<Input, Setting, readonly [Tensor, Tensor, Tensor]> {
  return register(tf, kernel) as KernelCall<Input, Setting, readonly [Tensor, Tensor, Tensor]>;
}

function register<
  Input extends string,
  Saved extends readonly Tensor[],
  Setting extends string = never,
>(
  tf: typeof tfjs,
  kernel: FusedKernel<Input, Saved, Setting>,
): KernelCall<Input, Setting, unknown> {
  const kernelName = `NniCream${kernel.name}`;
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs, attrs }) =>
      kernel.forward(inputs as Record<Input, Tensor>, attrs as unknown as Settings<Setting>),
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: [...kernel.saveInputs],
    outputsToSave: [...(kernel.saveOutputs ?? [])],
    gradFunc: (dy, saved, attrs) =>
      kernel.backward(
        Array.isArray(dy) ? (dy[0] as Tensor) : dy,
        saved as unknown as Saved,
        attrs as unknown as Settings<Setting>,
      ),
  });
  return (inputs, settings) => tf.engine().runKernel(kernelName, inputs, settings);
}
