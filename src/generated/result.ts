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
  format: 'nni-cream-result/2';
  /**
   * Search algorithm.
   */
  algorithm: 'cream' | 'cream-official' | 'fairnas' | 'random' | 'sandwich' | 'spos';
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
    /**
     * Budget of a path, in parameters.
     */
    params?: {
      /**
       * Fewest.
       */
      min: number;
      /**
       * Most; null for no limit.
       */
      max: number | null;
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
     * Accuracy on the validation split, which chose it, fraction.
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
    strategy: 'mainEffects' | 'board' | 'random' | 'evolution';
    /**
     * What paths are ordered by; equal ones by their cost.
     */
    scoreBy: 'crossEntropy' | 'accuracy';
    /**
     * Number of scored paths; paths that are the same network count once.
     */
    scored: number;
    /**
     * Other scored paths of the same score as the answer, none of them cheaper.
     *
     * Items: Candidate names in execution order, for people.
     */
    ties: string[];
    /**
     * Those of the next best 10 paths that are less than one standard error of the paired difference away from the answer, best first.
     *
     * Items: Candidate names in execution order, for people.
     */
    withinNoise: string[];
  };
  /**
   * The answer on held-out images that chose nothing.
   */
  confirmation: {
    /**
     * Number of images; 0 where the data set is too small for such a part, and the numbers are those of the validation split.
     */
    images: number;
    /**
     * Accuracy of the answer, fraction.
     */
    accuracy: number;
    /**
     * Mean of -log p(label), nats.
     */
    crossEntropy: number;
  };
  /**
   * Whether the answer is better than random paths, measured on the images of the confirmation; null without random paths.
   */
  verdict: {
    /**
     * Yes from 2 standard errors on; too few images where the images can only tell differences above 0.1, or are fewer than 30; no otherwise.
     */
    betterThanRandom: 'yes' | 'no' | 'too-few-images';
    /**
     * Accuracy of the answer less the mean of the random paths, fraction.
     */
    difference: number;
    /**
     * Standard error of the difference, of images and paths together, fraction.
     */
    standardError: number;
    /**
     * Part of it that more images would make smaller, paired image by image, fraction.
     */
    errorOfImages: number;
    /**
     * Part of it that more random paths would make smaller, fraction; 0 for a single path.
     */
    errorOfPaths: number;
    /**
     * The difference in standard errors; null where there is no error.
     */
    standardErrors: number | null;
  } | null;
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
     * Random paths of the budget on the images of the confirmation; null for none.
     */
    randomPaths: {
      /**
       * Number of paths.
       */
      n: number;
      /**
       * Mean accuracy, fraction.
       */
      mean: number;
      /**
       * Standard error of the mean over the paths, fraction; 0 for a single path.
       */
      standardError: number;
      /**
       * Best accuracy, fraction.
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
     * Held-out images that confirm the answer and chose nothing.
     */
    confirmationImages: number;
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
   * Accuracy on the mini-set when it was last measured, fraction.
   */
  miniSetTop1?: number;
  /**
   * Cross-entropy on the mini-set when it was last measured, nats.
   */
  miniSetCrossEntropy?: number;
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
