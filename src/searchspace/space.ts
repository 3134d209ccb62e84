/** The resolved search space of a skeleton and an NNI search space. */

/** Non-linearity after a normalised convolution. */
export type Activation = 'relu' | 'swish' | 'none';

/** One operation with all its numbers, as data: cost, shape and weights follow from it. */
export type Operation =
  | {
      readonly kind: 'conv';
      readonly kernel: number;
      readonly stride: number;
      /** Output channels. */
      readonly out: number;
      readonly bias: boolean;
      readonly batchNorm: boolean;
      readonly activation: Activation;
    }
  | {
      /** Depthwise convolution, then a linear 1x1 projection; shortcut where shapes agree. */
      readonly kind: 'separable';
      readonly kernel: number;
      readonly stride: number;
      readonly out: number;
      readonly activation: Activation;
      /** Bottleneck of squeeze-and-excitation relative to its input width; null for none. */
      readonly squeezeExcite: number | null;
    }
  | {
      /** 1x1 expansion, depthwise convolution, linear 1x1 projection; shortcut where shapes agree. */
      readonly kind: 'inverted-residual';
      readonly expansion: number;
      readonly kernel: number;
      readonly stride: number;
      readonly out: number;
      readonly activation: Activation;
      readonly squeezeExcite: number | null;
    }
  | {
      /** Nothing at all where shapes agree, else a strided 1x1 convolution with batch norm. */
      readonly kind: 'identity';
      readonly stride: number;
      readonly out: number;
    }
  | { /** Global average pooling to 1x1. */ readonly kind: 'pool' }
  | {
      /** Fully connected layer with bias on a 1x1 map. */ readonly kind: 'linear';
      readonly out: number;
    };

/** Height, width and channels of one feature map. */
export interface FeatureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** One candidate operation of a block. */
export interface Candidate {
  /** Value in NNI's search space, such as `k3e4`. */
  readonly name: string;
  readonly operation: Operation;
}

/** One position in the network; a fixed position has exactly one candidate and no label. */
export interface Block {
  /** Unique: the label, or for a fixed block the part's name, such as `stem.0`. */
  readonly name: string;
  /** Label in NNI's search space, or null for a fixed block. */
  readonly label: string | null;
  readonly candidates: readonly Candidate[];
  readonly input: FeatureShape;
  readonly output: FeatureShape;
}

/** A network with open labelled blocks. Deeply frozen. */
export interface SearchSpace {
  /** Name of the skeleton. */
  readonly name: string;
  /** `cream` skeletons know the published nets and Cream's own architecture files. */
  readonly family: 'cream' | 'nas-bench-macro' | 'other';
  /** Height and width of the input images, in pixels; they have 3 channels. */
  readonly imageSize: number;
  readonly classes: number;
  /** All names that the skeleton knows; their order gives the digits of codes. */
  readonly candidateNames: readonly string[];
  /** All blocks in execution order, fixed ones included. */
  readonly blocks: readonly Block[];
  /** The labelled blocks in execution order: the axes of a {@link Path}. */
  readonly choices: readonly Block[];
}

/** One network of the space: the index of the candidate taken in each labelled block. */
export type Path = readonly number[];
