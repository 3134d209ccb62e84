/** What the training loop needs from outside; data and trial implement it. */

/** Normalised images and their classes. */
export interface Batch {
  readonly count: number;
  /** `float32 [count, size, size, 3]`, normalised by the training part's mean and deviation. */
  readonly images: Float32Array;
  /** `int32 [count]`, class indices. */
  readonly labels: Int32Array;
}

/** The endless, augmented training stream; batch `step` is a pure function of (seed, step). */
export interface TrainingBatches {
  next(step: number): Promise<Batch>;
  /** Milliseconds that callers of `next` have waited so far. */
  readonly waitedMs: number;
}

/** Held-out images, none augmented, none shared between parts. */
export interface HeldOut {
  /** Mini-set that admission to the board is measured on. */
  readonly board: Batch;
  /** Validation images of one meta step; cycles through its part. */
  meta(metaStep: number): Batch;
  /** Batches of the part that rankings are measured on. */
  readonly ranking: Iterable<Batch>;
  /** Batches of training images that batch norm is recalibrated on before a ranking. */
  readonly calibration: Iterable<Batch>;
}

/** What one epoch, and the whole search at its end, reports. All finite. */
export interface SearchMetrics {
  /** Best board accuracy on the ranking part, fraction; before the board opens, `boardMean`. */
  readonly default: number;
  /** Mean training loss since the last report, in nats. */
  readonly loss: number;
  /** Mean distillation loss of the distilled steps, in nats; 0 when there were none. */
  readonly kdLoss: number;
  /** Mean matching degree of the distilled steps; 0 when there were none. */
  readonly rho: number;
  /** Mean accuracy of the ranked paths, fraction. */
  readonly boardMean: number;
  /** Multiply-accumulates of the best ranked path. */
  readonly bestMacs: number;
  /** Learning rate at the end of the epoch. */
  readonly lr: number;
  /** Training throughput of the epoch, rankings not counted. */
  readonly imagesPerSecond: number;
  /** Steps of the run that were skipped because a number in them was not finite. */
  readonly skippedSteps: number;
  /** Images of the data set that could not be used. */
  readonly skippedImages: number;
}

/**
 * Where metrics go. Both are idempotent: a search that goes on from a checkpoint reports again what
 * was reported after it. They resolve when the metric is safe, not when it has arrived.
 */
export interface Reporter {
  /** @param epoch - Counts from 0 without a gap. */
  intermediate(metrics: SearchMetrics, epoch: number): Promise<void>;
  /** The last epoch's metrics again: the result. */
  final(metrics: SearchMetrics): Promise<void>;
}

/** Monotonic time in milliseconds. */
export type Clock = () => number;
