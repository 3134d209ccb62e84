/* Generated from schemas/study-report.schema.json by `npm run generate`: do not edit. */

/**
 * The network that the supernet scores best, by main effects, among the ranked ones within the budget; null where there is none.
 */
export type StudyTableBest = {
  /**
   * Names of its operations, block by block.
   */
  arch: string;
  /**
   * Multiply-accumulates of one image.
   */
  macs: number;
  /**
   * Accuracy that the table knows, fraction.
   */
  trueAccuracy: number;
  /**
   * Place by true accuracy among the table's networks within the budget, from 1.
   */
  place: number;
} | null;

/**
 * What a study found.
 */
export interface StudyReport {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Name and version of the file format.
   */
  format: 'nni-cream-study/1';
  /**
   * Name of the skeleton.
   */
  space: string;
  /**
   * Where the true accuracies are from.
   */
  table: {
    /**
     * The table's file, as the study names it.
     */
    file: string;
    /**
     * Number of different networks in it.
     */
    nets: number;
    /**
     * Number of them that the supernets rank.
     */
    ranked: number;
  };
  /**
   * Seed of the choice of networks and of the bootstrap.
   */
  rankSeed: number;
  /**
   * How much of the study is done.
   */
  trials: {
    /**
     * Searches that are finished and ranked.
     */
    finished: number;
    /**
     * All searches of the study.
     */
    planned: number;
  };
  /**
   * Kendall's tau-b of scores that need no training, over the same networks.
   */
  floors: StudyFloor[];
  /**
   * The runs with a finished trial, in the order of the study.
   */
  runs: StudyRun[];
}
/**
 * A score that needs no training.
 */
export interface StudyFloor {
  /**
   * What the score is.
   */
  name: 'macs' | 'params' | 'depth' | 'logDepth';
  /**
   * Kendall's tau-b with the true accuracy; null where one of them is the same for all.
   */
  kendallTau: number | null;
}
/**
 * One setting, over its seeds.
 */
export interface StudyRun {
  /**
   * Name of the run.
   */
  name: string;
  /**
   * What it sets, by dotted config key.
   */
  settings: {
    /**
     * A value of a trial config.
     */
    [k: string]:
      | string
      | number
      | boolean
      | {
          [k: string]: unknown;
        };
  };
  /**
   * Its finished trials.
   *
   * @minItems 1
   */
  trials: [StudyTrial, ...StudyTrial[]];
  /**
   * Means over the trials.
   */
  summary: {
    /**
     * Kendall's tau of the additive model of the cross-entropies.
     */
    mainEffectsTau: Spread;
    /**
     * Kendall's tau-b by cross-entropy.
     */
    crossEntropyTau: Spread;
    /**
     * Kendall's tau-b by accuracy.
     */
    accuracyTau: Spread;
    /**
     * Mean accuracy of random paths, fraction.
     */
    randomAccuracy: Spread;
    /**
     * Accuracy of the answer on the validation split, fraction.
     */
    answerAccuracy: Spread;
    /**
     * True accuracy of the best-scored network of the table, fraction.
     */
    tableBestTrueAccuracy: Spread;
    /**
     * Image passes of the training.
     */
    images: Spread;
    /**
     * Time of the training steps, in seconds.
     */
    seconds: Spread;
  };
}
/**
 * One search and its rank study.
 */
export interface StudyTrial {
  /**
   * Seed of the search.
   */
  seed: number;
  /**
   * Image passes of the training, an image counted once for each path.
   */
  images: number;
  /**
   * Time of the training steps, in seconds.
   */
  seconds: number;
  /**
   * Kendall's tau of the additive model of the cross-entropies.
   */
  mainEffectsTau: StudyEstimate;
  /**
   * Kendall's tau-b of cross-entropy, its sign changed, with the true accuracy.
   */
  crossEntropyTau: StudyEstimate;
  /**
   * Kendall's tau-b of accuracy with the true accuracy.
   */
  accuracyTau: StudyEstimate;
  /**
   * Mean accuracy of random paths on the validation split, fraction; null where none was measured.
   */
  randomAccuracy: number | null;
  /**
   * What was picked: within the search's own budget, then within each budget of the study.
   *
   * @minItems 1
   */
  picks: [StudyPick, ...StudyPick[]];
}
/**
 * A statistic with its 95 % bootstrap percentile interval.
 */
export interface StudyEstimate {
  /**
   * The statistic; null where the score or the accuracy is the same for all networks.
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
 * The choice within one budget.
 */
export interface StudyPick {
  /**
   * Fewest multiply-accumulates.
   */
  minMacs: number;
  /**
   * Most multiply-accumulates; null for no limit.
   */
  maxMacs: number | null;
  /**
   * Networks of the table within the budget.
   */
  nets: number;
  answer: StudyAnswer;
  tableBest: StudyTableBest;
}
/**
 * The architecture that was picked, whether the table knows it or not.
 */
export interface StudyAnswer {
  /**
   * Names of its operations, block by block.
   */
  arch: string;
  /**
   * Multiply-accumulates of one image.
   */
  macs: number;
  /**
   * Accuracy with the supernet's weights on the validation split, fraction.
   */
  accuracy: number;
  /**
   * Accuracy that the table knows, fraction; null where it does not know the network.
   */
  trueAccuracy: number | null;
  /**
   * Place by true accuracy among the table's networks within the budget, from 1; null where the table does not know it.
   */
  place: number | null;
}
/**
 * Mean and standard deviation over the trials that have the number.
 */
export interface Spread {
  /**
   * Arithmetic mean; null where no trial has the number.
   */
  mean: number | null;
  /**
   * Standard deviation of the sample; null of fewer than two trials.
   */
  deviation: number | null;
}
