/* Generated from schemas/result.schema.json by `npm run generate`: do not edit. */

/**
 * What a search found, and what is needed to judge and repeat it.
 */
export interface SearchResult {
  /**
   * Path of this schema, for editors.
   */
  $schema?: string;
  /**
   * Name and version of the file format.
   */
  format: 'nni-cream-result/1';
  /**
   * Search algorithm.
   */
  algorithm: 'cream' | 'spos' | 'fairnas' | 'sandwich' | 'random';
  /**
   * What the scores are.
   */
  objective: {
    /**
     * Accuracy of the best guess.
     */
    metric: 'top1';
    /**
     * More is better.
     */
    mode: 'maximize';
  };
  /**
   * The search space.
   */
  space: {
    /**
     * Name of the skeleton.
     */
    name: string;
    /**
     * Number of labelled blocks.
     */
    labels: number;
    /**
     * Digest of the resolved space, in hexadecimal.
     */
    sha256: string;
    /**
     * Budget of a path, in multiply-accumulates.
     */
    macs: {
      /**
       * Fewest, in multiply-accumulates.
       */
      min: number;
      /**
       * Most, in multiply-accumulates; null for no limit.
       */
      max: number | null;
      /**
       * What is counted: convolutions and linear layers.
       */
      counting: 'conv+linear MACs';
    };
  };
  /**
   * The answer.
   */
  best: {
    sample: Sample;
    /**
     * Candidate names in execution order, for people.
     */
    path: string;
    /**
     * Accuracy on the validation split, fraction.
     */
    score: number;
    /**
     * Mean of -log p(label) on the validation split, nats.
     */
    crossEntropy: number;
    /**
     * Cost, in multiply-accumulates.
     */
    macs: number;
    /**
     * Number of parameters.
     */
    params: number;
  };
  /**
   * How the answer was picked.
   */
  selection: {
    /**
     * Strategy of the selection.
     */
    strategy: 'board' | 'random' | 'evolution';
    /**
     * Number of scored paths.
     */
    scored: number;
  };
  /**
   * The best of the scored paths, at most 100, best first.
   */
  ranking: RankingRow[];
  /**
   * The scored paths that the algorithm had kept, best first; empty for an algorithm that keeps none.
   */
  board: BoardRow[];
  /**
   * Baselines for the answer.
   */
  baselines: {
    /**
     * Random paths of the budget, measured as the answer; null for none.
     */
    randomPaths: {
      /**
       * Number of paths.
       */
      n: number;
      /**
       * Mean accuracy on the validation split, fraction.
       */
      mean: number;
      /**
       * Standard error of the mean, fraction; 0 for a single path.
       */
      standardError: number;
      /**
       * Best accuracy on the validation split, fraction.
       */
      max: number;
    } | null;
  };
  /**
   * Accuracy of the answer on the test part, fraction; null where the data set has none.
   */
  testAccuracy: number | null;
  /**
   * Normalisation of pixels: (value / 255 - mean) / standard deviation, for red, green, blue.
   */
  normalisation: {
    /**
     * Mean of the training part, of values in [0, 1].
     *
     * @minItems 3
     * @maxItems 3
     */
    mean: [number, number, number];
    /**
     * Standard deviation of the training part, of values in [0, 1].
     *
     * @minItems 3
     * @maxItems 3
     */
    deviation: [number, number, number];
  };
  /**
   * The images that were used.
   */
  data: {
    /**
     * Path of the data set.
     */
    path: string;
    /**
     * Names of the classes, in the order of the outputs.
     */
    classes: string[];
    /**
     * Training images.
     */
    trainImages: number;
    /**
     * Held-out images of the mini-set.
     */
    boardImages: number;
    /**
     * Held-out images of the meta steps.
     */
    metaImages: number;
    /**
     * Held-out images of the validation split.
     */
    rankingImages: number;
    /**
     * Images of the test part.
     */
    testImages: number;
    /**
     * Images that could not be used.
     */
    skipped: SkippedImage[];
  };
  /**
   * Paths inside the budget.
   */
  feasibility: {
    /**
     * Cost of the smallest path of the space, in multiply-accumulates.
     */
    smallestMacs: number;
    /**
     * Cost of the largest path of the space, in multiply-accumulates.
     */
    largestMacs: number;
    /**
     * Share of the space inside the budget, fraction.
     */
    share: number;
    /**
     * Ends of the 95 % interval of an estimated share, fractions; both the share itself when it is exact.
     *
     * @minItems 2
     * @maxItems 2
     */
    shareInterval: [number, number];
    /**
     * Whether all paths were counted rather than a sample of them.
     */
    exact: boolean;
  };
  /**
   * The algorithm's own numbers by name, which show whether it was at work; null for what did not happen.
   */
  activity: {
    [k: string]: number | null;
  };
  /**
   * Shares of the training time.
   */
  costShares: {
    /**
     * Held-out measurements within training steps, fraction.
     */
    evaluation: number;
    /**
     * Waits for data, fraction.
     */
    dataWait: number;
  };
  /**
   * Origin of the result.
   */
  provenance: {
    /**
     * Seed of everything random.
     */
    seed: number;
    /**
     * Number of epochs.
     */
    epochs: number;
    /**
     * NNI's id of the trial; STANDALONE without NNI.
     */
    trialId: string;
    /**
     * NNI's id of the experiment; STANDALONE without NNI.
     */
    experimentId: string;
    /**
     * Version of each piece of software that matters, by name.
     */
    versions: {
      [k: string]: string;
    };
  };
}
/**
 * Candidate name under each label.
 */
export interface Sample {
  [k: string]: string;
}
/**
 * One scored path.
 */
export interface RankingRow {
  /**
   * Position, from 1.
   */
  rank: number;
  /**
   * Accuracy on the validation split, fraction.
   */
  score: number;
  /**
   * Mean of -log p(label) on the validation split, nats.
   */
  crossEntropy: number;
  /**
   * Cost, in multiply-accumulates.
   */
  macs: number;
  /**
   * Number of parameters.
   */
  params: number;
  /**
   * Candidate names in execution order, for people.
   */
  path: string;
}
/**
 * One path of the board.
 */
export interface BoardRow {
  /**
   * Position, from 1.
   */
  rank: number;
  /**
   * Accuracy on the validation split, fraction.
   */
  score: number;
  /**
   * Accuracy on the mini-set at admission, fraction.
   */
  miniSetTop1?: number;
  /**
   * Accuracy on the training batch at admission, fraction.
   */
  trainBatchTop1?: number;
  /**
   * Cost, in multiply-accumulates.
   */
  macs: number;
  /**
   * Number of parameters.
   */
  params: number;
  /**
   * Epoch of the admission, from 0.
   */
  epoch?: number;
  sample: Sample;
  /**
   * Candidate names in execution order, for people.
   */
  path: string;
}
/**
 * One image that could not be used.
 */
export interface SkippedImage {
  /**
   * File or entry.
   */
  name: string;
  /**
   * What was wrong with it.
   */
  reason: string;
}
