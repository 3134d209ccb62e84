/* Generated from schemas/history.schema.json by `npm run generate`: do not edit. */

/**
 * One line of metrics.jsonl: what a run reported at one moment, flat, so that tables are read from it.
 */
export interface HistoryLine {
  /**
   * Report of an epoch, or the answer at the end of the run.
   */
  type: 'epoch' | 'answer';
  /**
   * Epoch, from 1; of the answer the last one, and 0 where the run has no epochs.
   */
  epoch: number;
  /**
   * When the line was recorded, ISO 8601 in UTC.
   */
  time: string;
  /**
   * The number that the run optimises, such as an accuracy as a fraction.
   */
  default: number;
  /**
   * NNI's id of the trial that reported; STANDALONE without NNI.
   */
  trialJobId: string;
  /**
   * Number of the tuner's parameter record; null where there is none.
   */
  parameterId: number | null;
  [k: string]: unknown;
}
