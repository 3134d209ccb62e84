import { keepsShape, makeDivisible, outputShape } from './operations.ts';
import { candidatesOf } from './path.ts';
import type { FeatureShape, Operation, Path, SearchSpace } from './space.ts';

/** Cost of one forward pass of one image, and number of parameters. Exact integers. */
export interface Cost {
  /** Multiply-accumulates of convolutions, those of squeeze-and-excitation included. */
  readonly convMacs: number;
  /** Multiply-accumulates of linear layers. */
  readonly linearMacs: number;
  /** Output elements that a convolution's bias is added to. */
  readonly convBias: number;
  /** Elements that batch norm scales and shifts. */
  readonly batchNorm: number;
  /** Elements that a global average reads. */
  readonly pooled: number;
  /** Channels that are averaged globally. */
  readonly pooledChannels: number;
  /** Elements that the ReLU in squeeze-and-excitation reads. */
  readonly squeezeRelu: number;
  /** Weights, biases, and the scale and shift of batch norm. */
  readonly params: number;
}

/** Cost of a path and of each of its blocks. */
export interface PathCost {
  /** Multiply-accumulates of convolutions and linear layers. */
  readonly macs: number;
  readonly params: number;
  readonly total: Cost;
  /** All blocks in execution order, fixed ones included. */
  readonly blocks: readonly BlockCost[];
}

/** Cost of a path's candidate in one block. */
export interface BlockCost {
  readonly name: string;
  /** Name of the candidate. */
  readonly candidate: string;
  readonly cost: Cost;
}

const NOTHING: Cost = {
  convMacs: 0,
  linearMacs: 0,
  convBias: 0,
  batchNorm: 0,
  pooled: 0,
  pooledChannels: 0,
  squeezeRelu: 0,
  params: 0,
};

function sum(costs: readonly Partial<Cost>[]): Cost {
  const total = { ...NOTHING };
  for (const cost of costs) {
    for (const key of Object.keys(total) as (keyof Cost)[]) total[key] += cost[key] ?? 0;
  }
  return total;
}

function elements({ height, width, channels }: FeatureShape): number {
  return height * width * channels;
}

/** A convolution without bias; each output element is a dot product of `fanIn` numbers. */
function convolution(output: FeatureShape, fanIn: number): Partial<Cost> {
  return { convMacs: elements(output) * fanIn, params: output.channels * fanIn };
}

function convolutionBias(output: FeatureShape): Partial<Cost> {
  return { convBias: elements(output), params: output.channels };
}

function batchNorm(output: FeatureShape): Partial<Cost> {
  return { batchNorm: elements(output), params: 2 * output.channels };
}

function globalPool(input: FeatureShape): Partial<Cost> {
  return { pooled: elements(input), pooledChannels: input.channels };
}

/** Global average, 1x1 convolution down, ReLU, 1x1 convolution up; both with bias. */
function squeezeExcite(map: FeatureShape, ratio: number | null): readonly Partial<Cost>[] {
  if (ratio === null) return [];
  const wide = { height: 1, width: 1, channels: map.channels };
  const narrow = { ...wide, channels: makeDivisible(map.channels * ratio) };
  return [
    globalPool(map),
    convolution(narrow, wide.channels),
    convolutionBias(narrow),
    { squeezeRelu: narrow.channels },
    convolution(wide, narrow.channels),
    convolutionBias(wide),
  ];
}

type Depthwise = Extract<Operation, { kind: 'separable' | 'inverted-residual' }>;

/** Depthwise convolution of `channels`, squeeze-and-excitation, linear 1x1 projection. */
function depthwiseAndProjection(
  operation: Depthwise,
  channels: number,
  output: FeatureShape,
): readonly Partial<Cost>[] {
  const map = { ...output, channels };
  return [
    convolution(map, operation.kernel ** 2),
    batchNorm(map),
    ...squeezeExcite(map, operation.squeezeExcite),
    convolution(output, channels),
    batchNorm(output),
  ];
}

/** Nothing where shapes agree, else a strided 1x1 convolution with batch norm. */
function identity(
  operation: Extract<Operation, { kind: 'identity' }>,
  input: FeatureShape,
): readonly Partial<Cost>[] {
  if (keepsShape(operation, input)) return [];
  const output = outputShape(operation, input);
  return [convolution(output, input.channels), batchNorm(output)];
}

/** Cost of one operation on a map of one image. */
export function operationCost(operation: Operation, input: FeatureShape): Cost {
  const output = outputShape(operation, input);
  const { channels } = input;
  switch (operation.kind) {
    case 'conv': {
      const { kernel, bias } = operation;
      const parts = [convolution(output, kernel ** 2 * channels)];
      if (bias) parts.push(convolutionBias(output));
      if (operation.batchNorm) parts.push(batchNorm(output));
      return sum(parts);
    }
    case 'separable':
      return sum(depthwiseAndProjection(operation, channels, output));
    case 'inverted-residual': {
      const expanded = { ...input, channels: makeDivisible(channels * operation.expansion) };
      return sum([
        convolution(expanded, channels),
        batchNorm(expanded),
        ...depthwiseAndProjection(operation, expanded.channels, output),
      ]);
    }
    case 'identity':
      return sum(identity(operation, input));
    case 'pool':
      return sum([globalPool(input)]);
    case 'linear':
      return sum([
        { linearMacs: channels * operation.out, params: (channels + 1) * operation.out },
      ]);
  }
}

/** Multiply-accumulates of an operation's convolutions and linear layers. */
export function macsOf({ convMacs, linearMacs }: Cost): number {
  return convMacs + linearMacs;
}

/** Cost of one network of the space for one image; the costs of its blocks add up. */
export function pathCost(space: SearchSpace, path: Path): PathCost {
  const taken = candidatesOf(space, path);
  const blocks = space.blocks.flatMap(({ name, input }, i): BlockCost[] => {
    const candidate = taken[i];
    if (candidate === undefined) return [];
    const cost = operationCost(candidate.operation, input);
    return [{ name, candidate: candidate.name, cost }];
  });
  const total = sum(blocks.map((block) => block.cost));
  return { macs: macsOf(total), params: total.params, total, blocks };
}
