/* Generated from schemas/checkpoint.schema.json by `npm run generate`: do not edit. */

/**
 * Position of the chosen candidate in every block that is searched.
 */
export type Path = number[];

/**
 * The part of a checkpoint that is written last: the digest of the arrays, the run, and the state without its arrays.
 */
export interface CheckpointManifest {
  /**
   * Name and version of the file format.
   */
  format: 'nni-cream-checkpoint/2';
  /**
   * When it was saved, ISO 8601.
   */
  savedAt: string;
  /**
   * Accuracy that the epoch's report gave, fraction; null within an epoch.
   */
  score: number | null;
  /**
   * The file of arrays beside the manifest: weights, optimizer slots, running statistics, and the algorithm's own.
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
   * The engine that it was started with; "nni-cream resume" uses it again.
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
   * All that determines the numbers of the search, by config key, with defaults; a search resumes only if all are the same.
   */
  mathematics: {
    [k: string]: unknown;
  };
  /**
   * What else equal bits depend on: engine, threads, processor, versions. If they differ, a search resumes with a warning.
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
   * The algorithm's own part; `algorithm` in the config names whose.
   */
  algorithm: {
    [k: string]: unknown;
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
     * Consecutive ones up to now.
     */
    inARow: number;
    /**
     * Since the start or the last rollback.
     */
    sinceRollback: number;
    /**
     * Number of rollbacks to a checkpoint.
     */
    rollbacks: number;
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
     * Images that were trained on, once for each path.
     */
    images: number;
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
     * Held-out measurements that the algorithm made within its steps.
     */
    evaluationMs: number;
    /**
     * Waits for data.
     */
    dataWaitMs: number;
  };
  /**
   * Metrics of the finished epochs.
   */
  reports: Metrics[];
  /**
   * Paths that the last report ranked, best first.
   */
  ranking: {
    path: Path;
    /**
     * Fraction.
     */
    accuracy: number;
    /**
     * Mean of -log p(label), nats.
     */
    crossEntropy: number;
  }[];
}
/**
 * What an epoch reported: numbers by name; those that every run has, and the algorithm's own.
 */
export interface Metrics {
  /**
   * The number that NNI optimises: accuracy of the best candidate for the answer, or the mean of random paths where there is none.
   */
  default: number;
  [k: string]: number;
}
