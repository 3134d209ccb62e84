/** Numbers of a run that follow from its length. All functions are pure. */

/** Step size at step t of T: lr0 (1 - t/T), never negative. Deviation D8. */
export function learningRate(lr0: number, step: number, totalSteps: number): number {
  return lr0 * Math.max(0, 1 - step / totalSteps);
}

/** Cream opens its board after 21 of 120 epochs; a run of any length keeps the proportion. */
export function defaultWarmupEpochs(epochs: number): number {
  return Math.max(1, Math.round((epochs * 21) / 120));
}

/** Global steps between two meta steps: at least 10, at most Cream's 200, about 50 in a run. */
export function defaultMetaInterval(totalSteps: number): number {
  return Math.min(200, Math.max(10, Math.round(totalSteps / 50)));
}

/** Learning rate for a batch size: in proportion, {@link REFERENCE_LR} at 128 images. */
export function defaultLearningRate(batchSize: number): number {
  return (REFERENCE_LR * batchSize) / 128;
}

const REFERENCE_LR = 0.1;

/**
 * Learning rate of the meta network. Its gradient carries the student's step size and is small: the
 * 31 meta steps of the CIFAR-10 example moved phi by 0.2 % of its length at 0.1, by 1.2 % at 1.2.
 */
export const DEFAULT_META_LR = 1.2;
