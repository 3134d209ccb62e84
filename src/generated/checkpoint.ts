/* Generated from schemas/checkpoint.schema.json by `npm run generate`: do not edit. */

/**
 * Position of the chosen candidate in every block that is searched.
 */
export type Path = number[];

/**
 * The part of a checkpoint that is written last: what the file of arrays must hash to, the run that it belongs to, and all of its state that is few numbers.
 */
export interface CheckpointManifest {
  /**
   * Name and version of the file format.
   */
  format: 'nni-cream-checkpoint/1';
  /**
   * When it was saved, ISO 8601.
   */
  savedAt: string;
  /**
   * Accuracy that the epoch's report gave, fraction; null within an epoch.
   */
  score: number | null;
  /**
   * The file of arrays beside the manifest: weights, optimizer slots, running statistics, meta network, images and features of the board.
   */
  arrays: {
    /**
     * Name within the same folder.
     */
    file: string;
    /**
     * Size of the file.
     */
    bytes: number;
    /**
     * Digest of the file, hexadecimal.
     */
    sha256: string;
  };
  run: CheckpointRun;
  state: CheckpointState;
  /**
   * Digest of the JSON text of all keys before this one.
   */
  sha256: string;
}
/**
 * The search that it belongs to.
 */
export interface CheckpointRun {
  /**
   * Absolute path of the trial config.
   */
  configFile: string;
  /**
   * Values of the tuner, by dotted config key.
   */
  parameters: {
    [k: string]: unknown;
  };
  /**
   * The engine that it was started with; "nni-cream resume" takes it again.
   */
  engine: 'native' | 'gpu' | 'js';
  /**
   * Steps of the whole run.
   */
  totalSteps: number;
  /**
   * Steps of an epoch.
   */
  stepsPerEpoch: number;
  /**
   * All that the numbers of the search follow from, by config key, defaults filled in; a search goes on only where all are the same.
   */
  mathematics: {
    [k: string]: unknown;
  };
  /**
   * What equal bits depend on beside: engine, threads, processor, versions. A search goes on where they differ, with a warning.
   */
  circumstances: {
    [k: string]: string | number;
  };
  /**
   * Images that could not be used.
   */
  badSamples: {
    /**
     * Path within the data set.
     */
    name: string;
    /**
     * Why.
     */
    reason: string;
  }[];
}
/**
 * The state of the search after `step` steps, without its arrays.
 */
export interface CheckpointState {
  /**
   * Global steps done: the counter of the random numbers, of the data and of the learning rate.
   */
  step: number;
  /**
   * The meta network's bias and its momentum.
   */
  meta: {
    /**
     * Bias.
     */
    bias: number;
    /**
     * Momentum of the bias.
     */
    biasVelocity: number;
  };
  /**
   * The prioritized paths, best first.
   */
  board: {
    /**
     * Most entries.
     */
    capacity: number;
    /**
     * Its rows.
     */
    entries: {
      path: Path;
      /**
       * On the mini-set, fraction.
       */
      accuracy: number;
      /**
       * On its training batch, fraction.
       */
      batchAccuracy: number;
      /**
       * Multiply-accumulates.
       */
      macs: number;
      /**
       * Step of the measurement.
       */
      step: number;
    }[];
  };
  /**
   * Steps that were skipped because a number was not finite.
   */
  stability: {
    /**
     * In the whole run.
     */
    skipped: number;
    /**
     * One after the other, up to now.
     */
    inARow: number;
    /**
     * Since the start, or since the search went back.
     */
    sinceRollback: number;
    /**
     * How often the search went back to a checkpoint.
     */
    rollbacks: number;
  };
  /**
   * Evidence that the algorithm was at work.
   */
  activity: {
    /**
     * Steps at which a path was measured on the mini-set.
     */
    measurements: number;
    /**
     * Measurements that put a path on the board.
     */
    admissions: number;
    /**
     * Epoch of the first admission; null until then.
     */
    boardOpenedAtEpoch: number | null;
    /**
     * Steps of the meta network.
     */
    metaSteps: number;
    /**
     * Steps with a teacher.
     */
    distilledSteps: number;
    /**
     * Sum of the matching degrees of the distilled steps.
     */
    rhoSum: number;
    /**
     * Smallest of them.
     */
    rhoMin: number;
    /**
     * Largest of them.
     */
    rhoMax: number;
  };
  /**
   * Sums over the steps of the epoch so far.
   */
  tally: {
    /**
     * Steps that were not skipped.
     */
    steps: number;
    /**
     * Training loss, nats.
     */
    loss: number;
    /**
     * Steps with a teacher.
     */
    distilled: number;
    /**
     * Distillation loss, nats.
     */
    kd: number;
    /**
     * Matching degrees.
     */
    rho: number;
    /**
     * Time that the steps took, milliseconds.
     */
    ms: number;
  };
  /**
   * Milliseconds of the whole run so far.
   */
  time: {
    /**
     * Training steps.
     */
    trainingMs: number;
    /**
     * Measurements for the board.
     */
    admissionMs: number;
    /**
     * Waits for data.
     */
    dataWaitMs: number;
  };
  /**
   * Metrics of the epochs that are done: their number is the next sequence.
   */
  reports: Metrics[];
  /**
   * What the last report ranked, best first.
   */
  ranking: {
    path: Path;
    /**
     * Fraction.
     */
    accuracy: number;
  }[];
}
/**
 * What an epoch reported.
 */
export interface Metrics {
  /**
   * Best board accuracy, fraction; before the board opens the mean of random paths.
   */
  default: number;
  /**
   * Training loss, nats.
   */
  loss: number;
  /**
   * Mean distillation loss, nats.
   */
  kdLoss: number;
  /**
   * Matching degrees.
   */
  rho: number;
  /**
   * Mean accuracy of the ranked paths, fraction.
   */
  boardMean: number;
  /**
   * Multiply-accumulates of the best ranked path.
   */
  bestMacs: number;
  /**
   * Learning rate at the end of the epoch.
   */
  lr: number;
  /**
   * Training throughput.
   */
  imagesPerSecond: number;
  /**
   * Steps that were skipped because a number was not finite.
   */
  skippedSteps: number;
  /**
   * Images that could not be used.
   */
  skippedImages: number;
}
