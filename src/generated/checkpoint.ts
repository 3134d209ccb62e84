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
    bias: number;
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
    skipped: number;
    inARow: number;
    sinceRollback: number;
    rollbacks: number;
  };
  /**
   * Evidence that the algorithm was at work.
   */
  activity: {
    measurements: number;
    admissions: number;
    boardOpenedAtEpoch: number | null;
    metaSteps: number;
    distilledSteps: number;
    rhoSum: number;
    rhoMin: number;
    rhoMax: number;
  };
  /**
   * Sums over the steps of the epoch so far.
   */
  tally: {
    steps: number;
    loss: number;
    distilled: number;
    kd: number;
    rho: number;
    ms: number;
  };
  /**
   * Milliseconds of the whole run so far.
   */
  time: {
    trainingMs: number;
    admissionMs: number;
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
  default: number;
  loss: number;
  kdLoss: number;
  rho: number;
  boardMean: number;
  bestMacs: number;
  lr: number;
  imagesPerSecond: number;
  skippedSteps: number;
  skippedImages: number;
}
