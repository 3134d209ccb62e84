/* Generated from schemas/network-skeleton.schema.json by `npm run generate`: do not edit. */

/**
 * One operation that a searched block can be.
 */
export type Candidate = IdentityCandidate | InvertedResidualCandidate;
/**
 * Value of the operation in NNI's search space.
 */
export type CandidateName = string;
/**
 * Height and width of the kernel, in pixels; the padding is half of it on every side.
 */
export type Kernel = 1 | 3 | 5 | 7;
/**
 * One operation that is the same in every network of the space.
 */
export type Fixed = FixedConvolution | FixedSeparable | FixedPool | FixedLinear;
/**
 * Stride along height and width, in pixels.
 */
export type Stride = number;
/**
 * Output channels.
 */
export type Width = number;

/**
 * Network template: the fixed operations before and after the searched stages, and the operations that each searched block can be.
 */
export interface NetworkSkeleton {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Version of the file format.
   */
  version: 1;
  /**
   * Name of the network in reports.
   */
  name: string;
  /**
   * `cream`: labels are `s{stage}_i{index}` with five stages, and Cream's own architecture files are written. `nas-bench-macro`: the digit codes of that benchmark. `other`: neither.
   */
  family: 'cream' | 'nas-bench-macro' | 'other';
  /**
   * Height and width of the input images, in pixels; they have 3 channels.
   */
  imageSize: number;
  /**
   * Number of classes.
   */
  classes: number;
  /**
   * Non-linearity of every convolution that has one.
   */
  activation: 'relu' | 'swish';
  /**
   * Bottleneck width of squeeze-and-excitation as a fraction of the depthwise width, rounded to a multiple of 8, in every separable and inverted residual block; null for none.
   */
  squeezeExcite: number | null;
  /**
   * Operations that a searched block can be; their order gives the digits of codes; at most 100.
   *
   * @minItems 1
   * @maxItems 100
   */
  candidates: [Candidate, ...Candidate[]];
  /**
   * Fixed operations before the stages, in execution order; at most 100.
   *
   * @maxItems 100
   */
  stem: Fixed[];
  /**
   * Runs of searched blocks, in execution order; at most 32.
   *
   * @minItems 1
   * @maxItems 32
   */
  stages: [Stage, ...Stage[]];
  /**
   * Fixed operations after the stages, in execution order; the last one is the linear classifier; at most 100.
   *
   * @minItems 1
   * @maxItems 100
   */
  head: [Fixed, ...Fixed[]];
}
/**
 * Nothing where shapes agree, else a strided 1x1 convolution with batch norm.
 */
export interface IdentityCandidate {
  /**
   * Kind of the operation.
   */
  kind: 'identity';
  name: CandidateName;
}
/**
 * 1x1 expansion, depthwise convolution, linear 1x1 projection; shortcut where shapes agree.
 */
export interface InvertedResidualCandidate {
  /**
   * Kind of the operation.
   */
  kind: 'inverted-residual';
  name: CandidateName;
  /**
   * Depthwise width as a multiple of the input's channels, rounded to a multiple of 8.
   */
  expansion: number;
  kernel: Kernel;
}
/**
 * Convolution, then batch norm unless `batchNorm` is false, then the activation.
 */
export interface FixedConvolution {
  /**
   * Kind of the operation.
   */
  kind: 'conv';
  kernel: Kernel;
  stride: Stride;
  width: Width;
  /**
   * Whether the convolution is normalised; without it, it has a bias.
   */
  batchNorm: boolean;
}
/**
 * Depthwise convolution, then a linear 1x1 projection; shortcut where shapes agree.
 */
export interface FixedSeparable {
  /**
   * Kind of the operation.
   */
  kind: 'separable';
  kernel: Kernel;
  stride: Stride;
  width: Width;
}
/**
 * Global average pooling to 1x1.
 */
export interface FixedPool {
  /**
   * Kind of the operation.
   */
  kind: 'pool';
}
/**
 * Linear classifier with bias on a 1x1 map.
 */
export interface FixedLinear {
  /**
   * Kind of the operation.
   */
  kind: 'linear';
}
/**
 * Searched blocks of one width; the first one applies the stride.
 */
export interface Stage {
  /**
   * Labels of the blocks in NNI's search space, one a block; at most 32.
   *
   * @minItems 1
   * @maxItems 32
   */
  labels: [string, ...string[]];
  width: Width;
  stride: Stride;
}
