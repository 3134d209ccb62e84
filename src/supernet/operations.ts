import { keepsShape, makeDivisible } from '../searchspace/operations.ts';
import type { FeatureShape, Operation } from '../searchspace/space.ts';
import {
  activation,
  batchNorm,
  bias,
  convolution,
  depthwise,
  pointwise,
  residual,
  sequence,
  squeezeExcite,
  type Module,
  type ParameterFactory,
} from './layers.ts';

type Builder<Kind extends Operation['kind']> = (
  operation: Extract<Operation, { kind: Kind }>,
  input: FeatureShape,
  site: { make: ParameterFactory; name: string },
) => Module;

const BUILDERS: { readonly [Kind in Operation['kind']]: Builder<Kind> } = {
  conv: (operation, { channels }, { make, name }) => {
    const { kernel, stride, out } = operation;
    return sequence(
      convolution(make, name, { kernel, stride, input: channels, output: out }),
      ...(operation.bias ? [bias(make, name, out)] : []),
      operation.batchNorm
        ? batchNorm(make, `${name}/bn`, { channels: out, activation: operation.activation })
        : activation(operation.activation),
    );
  },

  separable: (operation, input, { make, name }) => {
    const { channels } = input;
    const body = sequence(
      depthwiseStage(operation, channels, { make, name }),
      projection(channels, operation.out, { make, name }),
    );
    return keepsShape(operation, input) ? residual(body) : body;
  },

  'inverted-residual': (operation, input, { make, name }) => {
    const { channels } = input;
    const expanded = makeDivisible(channels * operation.expansion);
    const body = sequence(
      pointwise(make, `${name}/expand`, { input: channels, output: expanded }),
      batchNorm(make, `${name}/expand/bn`, {
        channels: expanded,
        activation: operation.activation,
      }),
      depthwiseStage(operation, expanded, { make, name }),
      projection(expanded, operation.out, { make, name }),
    );
    return keepsShape(operation, input) ? residual(body) : body;
  },

  identity: (operation, input, { make, name }) => {
    if (keepsShape(operation, input)) return sequence();
    const { stride, out } = operation;
    return sequence(
      convolution(make, name, { kernel: 1, stride, input: input.channels, output: out }),
      batchNorm(make, `${name}/bn`, { channels: out, activation: 'none' }),
    );
  },

  pool: () => ({ parameters: [], forward: (x, { engine }) => engine.ops.globalAveragePool(x) }),

  linear: ({ out }, { channels }, { make, name }) => {
    const weight = make(`${name}/weight`, [channels, out], {
      kind: 'classifier',
      fanIn: channels,
      fanOut: out,
    });
    const multiply: Module = {
      parameters: [weight],
      forward: (x, { engine, weightOf }) => engine.ops.linear(x, weightOf(weight)),
    };
    return sequence(multiply, bias(make, name, out));
  },
};

/** Depthwise convolution, batch norm, activation and optional squeeze-and-excitation. */
function depthwiseStage(
  {
    kernel,
    stride,
    activation,
    squeezeExcite: ratio,
  }: Extract<Operation, { kind: 'separable' | 'inverted-residual' }>,
  channels: number,
  { make, name }: { make: ParameterFactory; name: string },
): Module {
  return sequence(
    depthwise(make, `${name}/depthwise`, { kernel, stride, channels }),
    batchNorm(make, `${name}/depthwise/bn`, { channels, activation }),
    ...(ratio === null
      ? []
      : [
          squeezeExcite(make, `${name}/se`, {
            channels,
            squeezed: makeDivisible(channels * ratio),
          }),
        ]),
  );
}

/** Linear 1x1 convolution with batch norm. */
function projection(
  input: number,
  output: number,
  { make, name }: { make: ParameterFactory; name: string },
): Module {
  return sequence(
    pointwise(make, `${name}/project`, { input, output }),
    batchNorm(make, `${name}/project/bn`, { channels: output, activation: 'none' }),
  );
}

/** Builds the module of one operation; its parameters' names start with `site.name`. */
export function buildOperation(
  operation: Operation,
  input: FeatureShape,
  site: { make: ParameterFactory; name: string },
): Module {
  const build = BUILDERS[operation.kind] as Builder<Operation['kind']>;
  return build(operation, input, site);
}
