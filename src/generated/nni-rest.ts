/* Generated from schemas/nni-rest.schema.json by `npm run generate`: do not edit. */

/**
 * What NNI 3.0's manager answers over REST, as far as it is used here. NNI may add keys.
 */
export type NniRest = ExperimentStatus | ExperimentProfile | TrialJobInfo | MetricData;

/**
 * Answer of /check-status.
 */
export interface ExperimentStatus {
  /**
   * State of the experiment: INITIALIZED, RUNNING, NO_MORE_TRIAL, TUNER_NO_MORE_TRIAL, DONE, ERROR, STOPPING, STOPPED or VIEWED.
   */
  status: string;
  /**
   * Errors of the manager itself.
   */
  errors: string[];
  [k: string]: unknown;
}
/**
 * Answer of /experiment.
 */
export interface ExperimentProfile {
  /**
   * NNI's id of the experiment.
   */
  id: string;
  /**
   * The experiment file as NNI has completed it.
   */
  params: {
    [k: string]: unknown;
  };
  /**
   * Folder of the experiment on the manager's machine.
   */
  logDir: string;
  /**
   * When it was started, in milliseconds since 1970.
   */
  startTime?: number;
  /**
   * When it ended, in milliseconds since 1970; left out before.
   */
  endTime?: number;
  [k: string]: unknown;
}
/**
 * An entry of the answer of /trial-jobs.
 */
export interface TrialJobInfo {
  /**
   * NNI's id of the trial.
   */
  trialJobId: string;
  /**
   * Position in the order of submission, from 0; left out before that.
   */
  sequenceId?: number;
  /**
   * State of the trial: WAITING, RUNNING, SUCCEEDED, FAILED, USER_CANCELED, SYS_CANCELED, EARLY_STOPPED or UNKNOWN.
   */
  status: string;
  /**
   * JSON texts of the tuner's parameter records; the first one is the trial's.
   */
  hyperParameters?: string[];
  /**
   * When it was started, in milliseconds since 1970; left out before.
   */
  startTime?: number;
  /**
   * When it ended, in milliseconds since 1970; left out before.
   */
  endTime?: number;
  /**
   * Output folder of the trial on the machine that runs it; left out before it was launched.
   */
  logPath?: string;
  [k: string]: unknown;
}
/**
 * An entry of the answer of /metric-data.
 */
export interface MetricData {
  /**
   * NNI's id of the trial that reported.
   */
  trialJobId: string;
  /**
   * Intermediate or final result.
   */
  type: 'PERIODICAL' | 'FINAL';
  /**
   * Position among the trial's intermediate results; 0 of the final one.
   */
  sequence: number;
  /**
   * JSON text of the text that the trial sent, which is JSON itself.
   */
  data: string;
  [k: string]: unknown;
}
