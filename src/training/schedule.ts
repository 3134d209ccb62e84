/** Numbers of a run that follow from its length. All functions are pure. */

/** Learning rate at step t of T: lr0 (1 - t/T), never negative. Deviation D8. */
export function learningRate(lr0: number, step: number, totalSteps: number): number {
  return lr0 * Math.max(0, 1 - step / totalSteps);
}

/** Learning rate for a batch size: in proportion, {@link REFERENCE_LR} at 128 images. */
export function defaultLearningRate(batchSize: number): number {
  return (REFERENCE_LR * batchSize) / 128;
}

const REFERENCE_LR = 0.1;
