/** NNI's ids of a trial. */
export interface TrialIdentity {
  /** NNI's id of the trial; {@link STANDALONE} without NNI. */
  readonly trialJobId: string;
  /** NNI's id of the experiment; {@link STANDALONE} without NNI. */
  readonly experimentId: string;
}

/** The id of a trial, and of an experiment, without NNI. */
export const STANDALONE = 'STANDALONE';
