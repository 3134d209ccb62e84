/* Generated from schemas/cream-state.schema.json by `npm run generate`: do not edit. */

/**
 * Position of the chosen candidate in every block that is searched.
 */
export type Path = number[];

/**
 * Cream's own part of a checkpoint's state, without its arrays.
 */
export interface SavedCream {
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
   * Sums over the distilled steps of the epoch so far.
   */
  tally: {
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
  };
}
