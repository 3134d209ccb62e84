/* Generated from schemas/architecture-table.schema.json by `npm run generate`: do not edit. */

/**
 * Networks that were trained on their own, as NAS-Bench-Macro publishes them: each under its digit code, or under the names of its operations.
 */
export interface ArchitectureTable {
  [k: string]: TrainedNetwork;
}
/**
 * What one network reached, and what it costs.
 */
export interface TrainedNetwork {
  /**
   * Mean accuracy of its trainings: a fraction or a percentage, the same in all of the table.
   */
  mean_acc: number;
  /**
   * Accuracy of each training.
   */
  test_acc?: number[];
  /**
   * Standard deviation of the accuracies.
   */
  std?: number;
  /**
   * Number of parameters; not read: it is computed.
   */
  params?: number;
  /**
   * Number of multiply-accumulates; not read: it is computed.
   */
  flops?: number;
}
