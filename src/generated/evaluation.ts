/* Generated from schemas/evaluation.schema.json by `npm run generate`: do not edit. */

/**
 * What one architecture scored with the weights of a supernet.
 */
export interface Evaluation {
  /**
   * Name and version of the file format.
   */
  format: 'nni-cream-evaluation/1';
  /**
   * The architecture.
   */
  arch: {
    sample: EvaluatedSample;
    /**
     * Candidate names in execution order, for people.
     */
    path: string;
  };
  /**
   * The weights that it inherited.
   */
  weights: {
    /**
     * Output folder of the search.
     */
    folder: string;
    /**
     * Training steps that they have seen.
     */
    step: number;
    /**
     * Digest of their file, hexadecimal.
     */
    sha256: string;
  };
  /**
   * On the validation split, batch norm recalibrated, fraction.
   */
  accuracy: number;
  /**
   * Mean of -log p(label) on it, nats.
   */
  crossEntropy: number;
  /**
   * Images of the validation split that it was measured on.
   */
  images: number;
  /**
   * On the test part, fraction; null where there is none.
   */
  testAccuracy: number | null;
  /**
   * Cost, in multiply-accumulates.
   */
  macs: number;
  /**
   * Number of parameters.
   */
  params: number;
  /**
   * Where it comes from.
   */
  provenance: {
    /**
     * NNI's trial, or STANDALONE.
     */
    trialId: string;
    /**
     * NNI's experiment, or STANDALONE.
     */
    experimentId: string;
    /**
     * Versions of the program, of Node and of the engine.
     */
    versions: {
      [k: string]: string;
    };
  };
}
/**
 * Candidate name under each label.
 */
export interface EvaluatedSample {
  [k: string]: string;
}
