import type { Tensor } from '@tensorflow/tfjs-core';

/** A value on the engine, always float32; feature maps are `[batch, height, width, channels]`. */
export type { Tensor } from '@tensorflow/tfjs-core';

/** Scale and shift after normalisation, each `float32 [channels]`. */
export interface Affine {
  readonly gamma: Tensor;
  readonly beta: Tensor;
}

/** Mean and unbiased variance of one batch norm's input, each `float32 [channels]`. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Previous moments, and the weight of the new batch: new = (1 - factor) old + factor batch. */
export interface MovingMoments {
  readonly previous: Moments;
  readonly factor: number;
}

/** What may follow a batch norm; native kernels number them in this order. */
export const ACTIVATIONS = ['none', 'relu', 'swish'] as const;

/** What a batch norm does besides. */
export interface BatchNormOptions {
  /** Applied to the normalised map; `none` if left out. */
  readonly activation?: (typeof ACTIVATIONS)[number];
  /** Moments to blend the batch's into; the batch's alone if left out. */
  readonly moving?: MovingMoments | undefined;
}

/** A trained tensor and its momentum buffer. */
export interface Momentum {
  readonly value: Tensor;
  readonly velocity: Tensor;
}

/** One trained tensor before a step: `decay` times the value is added to the gradient. */
export interface MomentumState extends Momentum {
  readonly gradient: Tensor;
  readonly decay: number;
}

/** A trained tensor with the decaying means of its gradient and of its square. */
export interface AdamMoments {
  readonly value: Tensor;
  readonly mean: Tensor;
  readonly square: Tensor;
}

/** One trained tensor before a step of Adam: the value shrinks by `lr` times `decay`. */
export interface AdamState extends AdamMoments {
  readonly gradient: Tensor;
  readonly decay: number;
  /** Steps that this tensor has taken, this one included. */
  readonly steps: number;
}

/** Denominator offset of every batch norm (PyTorch's and Cream's value). */
export const BATCH_NORM_EPSILON = 1e-5;

/**
 * The differentiable operations that networks are made of, and the optimizer's step. Paddings are symmetric, (kernel - 1) / 2
 * on every side, at every stride: TensorFlow's 'SAME' would shift the grid at stride 2.
 * The caller owns every returned tensor.
 */
export interface Ops {
  /** Dense convolution; `filter` is `[kernel, kernel, in, out]`. */
  conv2d(x: Tensor, filter: Tensor, stride: number): Tensor;
  /** Convolution of each channel by itself; `filter` is `[kernel, kernel, channels, 1]`. */
  depthwiseConv2d(x: Tensor, filter: Tensor, stride: number): Tensor;
  /** Normalises by the batch's own statistics; also returns its moments, blended where asked. */
  batchNorm(x: Tensor, affine: Affine, options?: BatchNormOptions): { y: Tensor; moments: Moments };
  /** Normalises by given moments; not differentiated by anybody. */
  normalise(x: Tensor, affine: Affine, moments: Moments): Tensor;
  relu(x: Tensor): Tensor;
  /** x sigmoid(x). */
  swish(x: Tensor): Tensor;
  /** relu6(x + 3) / 6. */
  hardSigmoid(x: Tensor): Tensor;
  /** `[batch, height, width, channels]` to `[batch, 1, 1, channels]`. */
  globalAveragePool(x: Tensor): Tensor;
  /** Sum of two equal shapes. */
  add(a: Tensor, b: Tensor): Tensor;
  /** Scales each channel of each image: `gate` is `[batch, 1, 1, channels]`. */
  gate(x: Tensor, gate: Tensor): Tensor;
  /** Adds `bias [channels]` to the last axis. */
  biasAdd(x: Tensor, bias: Tensor): Tensor;
  /** `[batch, 1, 1, in]` times `[in, out]` to `[batch, out]`. */
  linear(x: Tensor, weight: Tensor): Tensor;
  softmax(logits: Tensor): Tensor;
  /** Mean over the batch of -sum_c target log softmax(logits), nats; no gradient to `targets`. */
  softCrossEntropy(logits: Tensor, targets: Tensor): Tensor;
  /** Sum of the squares of all elements of all tensors, a scalar; not differentiated by anybody. */
  sumOfSquares(tensors: readonly Tensor[]): Tensor;
  /**
   * One Nesterov step of each state as PyTorch defines it, not differentiated: g += decay w;
   * v = momentum v + g; w -= lr (g + momentum v).
   */
  nesterov(
    states: readonly MomentumState[],
    rates: { readonly lr: number; readonly momentum: number },
  ): readonly Momentum[];
  /** One step of AdamW, epsilon 1e-8, not differentiated. */
  adamW(
    state: AdamState,
    rates: { readonly lr: number; readonly beta1: number; readonly beta2: number },
  ): AdamMoments;
}
