import type { Engine } from '../engine/engine.ts';
import type { Ops, Tensor } from '../engine/ops.ts';
import type { Parameter } from '../engine/parameter.ts';
import type { Rng } from '../foundation/rng.ts';
import type { Activation } from '../searchspace/space.ts';
import type { Statistics } from './statistics.ts';

/** How weights start: PyTorch's default, or that of Cream's code. */
export type Initialisation = 'pytorch' | 'official';

/** What a parameter is, as far as its initial values go. */
export type ParameterKind =
  | { readonly kind: 'constant'; readonly value: number }
  | {
      readonly kind: 'filter' | 'classifier';
      /** Numbers that one output depends on. */
      readonly fanIn: number;
      /** Numbers that one input acts on. */
      readonly fanOut: number;
    };

/**
 * Draws `count` initial values. `pytorch`: U(-b, b), b = 1/sqrt(fan-in). `official`: filters N(0, 2/fan-out),
 * the classifier U(-b, b), b = 1/sqrt(fan-out), which is meant for 1,000 classes: at 10 the first loss
 * is twice that of guessing.
 *
 * @see Cream lib/utils/builder_util.py:205-273 @ 4a13c40; PyTorch nn.Conv2d and nn.Linear.
 */
export function initialValues(
  parameter: ParameterKind,
  count: number,
  { rng, initialisation }: { rng: Rng; initialisation: Initialisation },
): Float32Array {
  const values = new Float32Array(count);
  if (parameter.kind === 'constant') return values.fill(parameter.value);
  const { kind, fanIn, fanOut } = parameter;
  if (initialisation === 'official' && kind === 'filter') {
    const std = Math.sqrt(2 / fanOut);
    return values.map(() => std * rng.normal());
  }
  const bound = 1 / Math.sqrt(initialisation === 'official' ? fanOut : fanIn);
  return values.map(() => bound * (2 * rng.uniform() - 1));
}

/** Normalisation and weights of one forward pass. */
export interface Pass {
  readonly engine: Engine;
  /**
   * `batch`: by the batch's own moments, which `record` (if given) also blends into `statistics`;
   * `stored`: by given moments.
   */
  readonly normalisation:
    | { readonly by: 'batch'; readonly record?: { into: Statistics; factor: number } }
    | { readonly by: 'stored'; readonly statistics: Statistics };
  /** Value of a parameter in this pass; its own unless a virtual step asks for others. */
  readonly weightOf: (parameter: Parameter) => Tensor;
}

/** A part of a network: its parameters and its forward function. */
export interface Module {
  readonly parameters: readonly Parameter[];
  /** `[batch, height, width, in]` to `[batch, height', width', out]`; the scope owns the result. */
  forward(x: Tensor, pass: Pass): Tensor;
}

/** Makes named parameters with their initial values. */
export type ParameterFactory = (
  name: string,
  shape: readonly number[],
  kind: ParameterKind,
) => Parameter;

/** Channels and window of one convolution. */
export interface ConvolutionShape {
  readonly kernel: number;
  readonly stride: number;
  readonly input: number;
  readonly output: number;
}

/** Dense convolution without bias. */
export function convolution(
  make: ParameterFactory,
  name: string,
  { kernel, stride, input, output }: ConvolutionShape,
): Module {
  const filter = make(`${name}/filter`, [kernel, kernel, input, output], {
    kind: 'filter',
    fanIn: kernel * kernel * input,
    fanOut: kernel * kernel * output,
  });
  return {
    parameters: [filter],
    forward: (x, { engine, weightOf }) => engine.ops.conv2d(x, weightOf(filter), stride),
  };
}

/** Dense 1x1 convolution without bias: from `input` to `output` channels. */
export function pointwise(
  make: ParameterFactory,
  name: string,
  { input, output }: Pick<ConvolutionShape, 'input' | 'output'>,
): Module {
  return convolution(make, name, { kernel: 1, stride: 1, input, output });
}

/** Depthwise convolution without bias. */
export function depthwise(
  make: ParameterFactory,
  name: string,
  { kernel, stride, channels }: { kernel: number; stride: number; channels: number },
): Module {
  const filter = make(`${name}/filter`, [kernel, kernel, channels, 1], {
    kind: 'filter',
    fanIn: kernel * kernel,
    fanOut: kernel * kernel,
  });
  return {
    parameters: [filter],
    forward: (x, { engine, weightOf }) => engine.ops.depthwiseConv2d(x, weightOf(filter), stride),
  };
}

/** Bias on the last axis. */
export function bias(make: ParameterFactory, name: string, channels: number): Module {
  const parameter = make(`${name}/bias`, [channels], { kind: 'constant', value: 0 });
  return {
    parameters: [parameter],
    forward: (x, { engine, weightOf }) => engine.ops.biasAdd(x, weightOf(parameter)),
  };
}

/** Channels of a batch norm and the non-linearity behind it. */
export interface BatchNormShape {
  readonly channels: number;
  readonly activation: Activation;
}

/** Batch norm, epsilon 1e-5, whose moments live in the pass's statistics under `name`. */
export function batchNorm(
  make: ParameterFactory,
  name: string,
  { channels, activation: kind }: BatchNormShape,
): Module {
  const gamma = make(`${name}/gamma`, [channels], { kind: 'constant', value: 1 });
  const beta = make(`${name}/beta`, [channels], { kind: 'constant', value: 0 });
  return {
    parameters: [gamma, beta],
    forward: (x, { engine, normalisation, weightOf }) => {
      const { ops } = engine;
      const affine = { gamma: weightOf(gamma), beta: weightOf(beta) };
      if (normalisation.by === 'stored') {
        const moments = normalisation.statistics.of(name, channels);
        return activate(ops.normalise(x, affine, moments), kind, ops);
      }
      const { record } = normalisation;
      if (record === undefined) return ops.batchNorm(x, affine, { activation: kind }).y;
      const moving = { previous: record.into.of(name, channels), factor: record.factor };
      const { y, moments } = ops.batchNorm(x, affine, { activation: kind, moving });
      record.into.replace(name, moments);
      return y;
    },
  };
}

function activate(x: Tensor, kind: Activation, ops: Ops): Tensor {
  return kind === 'none' ? x : ops[kind](x);
}

/** The non-linearity of that name. */
export function activation(kind: Activation): Module {
  return { parameters: [], forward: (x, { engine }) => activate(x, kind, engine.ops) };
}

/** Squeeze-and-excitation: pool, 1x1 to `squeezed` with ReLU, 1x1 back, hard-sigmoid gate. */
export function squeezeExcite(
  make: ParameterFactory,
  name: string,
  { channels, squeezed }: { channels: number; squeezed: number },
): Module {
  const reduce = sequence(
    pointwise(make, `${name}/reduce`, { input: channels, output: squeezed }),
    bias(make, `${name}/reduce`, squeezed),
    activation('relu'),
  );
  const expand = sequence(
    pointwise(make, `${name}/expand`, { input: squeezed, output: channels }),
    bias(make, `${name}/expand`, channels),
  );
  return {
    parameters: [...reduce.parameters, ...expand.parameters],
    forward: (x, pass) => {
      const { ops } = pass.engine;
      const pooled = ops.globalAveragePool(x); // [batch, 1, 1, channels]
      const excitation = expand.forward(reduce.forward(pooled, pass), pass);
      return ops.gate(x, ops.hardSigmoid(excitation));
    },
  };
}

/** Modules one after the other. */
export function sequence(...modules: readonly Module[]): Module {
  return {
    parameters: modules.flatMap((module) => module.parameters),
    forward: (x, pass) => chain(modules, x, pass),
  };
}

/**
 * Runs modules in sequence and disposes of each map as soon as the next one exists: a pass without
 * gradient holds two maps, and one with gradient only what its backward pass needs. The caller keeps
 * `x`.
 */
export function chain(modules: readonly Module[], x: Tensor, pass: Pass): Tensor {
  const { engine } = pass;
  return modules.reduce((input, module) => {
    const output = engine.scope(() => module.forward(input, pass));
    if (input !== x && input !== output) engine.dispose([input]);
    return output;
  }, x);
}

/** A module with a shortcut around it. */
export function residual(module: Module): Module {
  return {
    parameters: module.parameters,
    forward: (x, pass) => pass.engine.ops.add(module.forward(x, pass), x),
  };
}
