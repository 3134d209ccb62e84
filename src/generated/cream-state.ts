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
   * The meta network's bias and Adam's moments of it.
   */
  meta: {
    /**
     * Steps taken.
     */
    steps: number;
    /**
     * Bias.
     */
    bias: number;
    /**
     * Mean gradient.
     */
    biasMean: number;
    /**
     * Mean squared gradient.
     */
    biasSquare: number;
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
     *
     * Items: A row.
     */
    entries: {
      path: Path;
      /**
       * Multiply-accumulates.
       */
      macs: number;
      /**
       * On the mini-set, nats.
       */
      crossEntropy: number;
      /**
       * On the mini-set, fraction.
       */
      accuracy: number;
      /**
       * Step at which it came.
       */
      since: number;
    }[];
  };
  /**
   * Paths that wait for the next round, best first.
   *
   * Items: One of them.
   */
  applicants: {
    path: Path;
    /**
     * Multiply-accumulates.
     */
    macs: number;
    /**
     * Cross-entropy below the mean of its step, nats.
     */
    lead: number;
  }[];
  /**
   * Evidence that the algorithm was at work.
   */
  activity: {
    /**
     * Measurements of paths on the mini-set.
     */
    measurements: number;
    /**
     * Times that a path came onto the board.
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
     * Trainings of a path by a teacher.
     */
    lessons: number;
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
   * What has happened in the epoch so far.
   */
  tally: {
    /**
     * Trainings of a path by a teacher.
     */
    lessons: number;
    /**
     * Sum of distillation losses, nats.
     */
    kd: number;
    /**
     * Sum of matching degrees.
     */
    rho: number;
    /**
     * Sum of their squares.
     */
    rhoSquare: number;
    /**
     * Who taught.
     *
     * Items: One of them.
     */
    teachers: {
      path: Path;
      /**
       * Lessons given.
       */
      lessons: number;
    }[];
    /**
     * Paths that came onto the board.
     */
    admitted: number;
    /**
     * Paths that left it.
     */
    left: number;
  };
}
