/* Generated from schemas/rank.schema.json by `npm run generate`: do not edit. */

/**
 * What the score is; `mainEffects` is the additive model of the cross-entropies of these networks, fitted without their true accuracies. It and `crossEntropy` count with their sign changed, so that more is better.
 */
export type ScoreName =
  'mainEffects' | 'accuracy' | 'crossEntropy' | 'macs' | 'params' | 'depth' | 'logDepth';

/**
 * How well scores order networks whose true accuracy a table knows.
 */
export interface RankReport {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Name and version of the file format.
   */
  format: 'nni-cream-rank/2';
  /**
   * Name of the skeleton.
   */
  space: string;
  /**
   * Where the true accuracies are from.
   */
  table: {
    /**
     * The table's file.
     */
    file: string;
    /**
     * Number of different networks in it.
     */
    nets: number;
  };
  /**
   * Seed of the choice of networks and of the bootstrap.
   */
  seed: number;
  /**
   * Number of bootstrap resamples behind each interval.
   */
  resamples: number;
  /**
   * Time that scoring the networks took, in seconds.
   */
  seconds: number;
  /**
   * The scores of the supernet, then those that need no training.
   */
  scores: Score[];
  /**
   * The networks that were ranked, the best by true accuracy first.
   */
  nets: Net[];
}
/**
 * One score against the true accuracy.
 */
export interface Score {
  name: ScoreName;
  /**
   * Kendall's tau-b, in [-1, 1].
   */
  kendallTau: Estimate;
  /**
   * Spearman's rank correlation, in [-1, 1].
   */
  spearman: Estimate;
  /**
   * How many of the truly best networks the score has among its best.
   */
  top: Overlap[];
}
/**
 * A statistic with its 95 % bootstrap percentile interval.
 */
export interface Estimate {
  /**
   * The statistic of the networks; null where the score or the accuracy is the same for all.
   */
  value: number | null;
  /**
   * Lower end of the interval; null where there is no value.
   */
  low: number | null;
  /**
   * Upper end of the interval; null where there is no value.
   */
  high: number | null;
}
/**
 * The best few by the score and by true accuracy.
 */
export interface Overlap {
  /**
   * How many networks are the best.
   */
  k: number;
  /**
   * Fraction of them that both name, ties at the edge broken at random.
   */
  overlap: number;
  /**
   * Fraction that a score without any knowledge names.
   */
  chance: number;
}
/**
 * One network and its scores.
 */
export interface Net {
  /**
   * Names of its operations, block by block.
   */
  arch: string;
  /**
   * Accuracy that the table knows, as a fraction.
   */
  trueAccuracy: number;
  /**
   * Accuracy with the supernet's weights on held-out images, as a fraction.
   */
  accuracy: number;
  /**
   * Mean cross-entropy with the supernet's weights on the same images, in nats.
   */
  crossEntropy: number;
  /**
   * Cross-entropy that the additive model of all networks' cross-entropies expects, nats.
   */
  mainEffects: number;
  /**
   * Multiply-accumulates of one image.
   */
  macs: number;
  /**
   * Number of parameters.
   */
  params: number;
  /**
   * Number of blocks that are no identity.
   */
  depth: number;
  /**
   * Sum over stages of log(1 + blocks that are no identity).
   */
  logDepth: number;
}
