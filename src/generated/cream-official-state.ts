/* Generated from schemas/cream-official-state.schema.json by `npm run generate`: do not edit. */

/**
 * Position of the chosen candidate in every block that is searched.
 */
export type Path = number[];

/**
 * The own part of cream-official in a checkpoint's state, without its arrays.
 */
export interface SavedCreamOfficial {
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
   * The prioritized paths, best training batch first.
   */
  board: {
    path: Path;
    /**
     * On its training batch, fraction.
     */
    batchAccuracy: number;
    /**
     * Multiply-accumulates.
     */
    macs: number;
    /**
     * Step of the admission.
     */
    step: number;
  }[];
  /**
   * Evidence that the algorithm was at work.
   */
  activity: {
    /**
     * Steps that put a path on the board.
     */
    admissions: number;
    /**
     * Epoch of the first admission; null until then.
     */
    boardOpenedAtEpoch: number | null;
    /**
     * Meta updates.
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
