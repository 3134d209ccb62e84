/** Numbers of a run that follow from its length. All functions are pure. */

/** How the learning rate goes over a run. */
export interface RateSchedule {
  /** After the warm-up it falls to 0. */
  readonly shape: 'linear' | 'cosine';
  /** Steps in which it grows in a straight line, from a part of it to the whole. */
  readonly warmupSteps: number;
  readonly totalSteps: number;
}

/**
 * Learning rate at a step, never negative. Linear without warm-up: lr0 (1 - t/T), Deviation D8.
 *
 * @param step - Steps done before, from 0.
 */
export function learningRate(
  lr0: number,
  step: number,
  { shape, warmupSteps, totalSteps }: RateSchedule,
): number {
  if (step < warmupSteps) return (lr0 * (step + 1)) / (warmupSteps + 1);
  const left = Math.max(0, 1 - (step - warmupSteps) / (totalSteps - warmupSteps));
  return lr0 * (shape === 'linear' ? left : (1 - Math.cos(Math.PI * left)) / 2);
}

/** A tenth of the run, at most 100 steps. */
export function defaultWarmupSteps(totalSteps: number): number {
  return Math.min(100, Math.floor(totalSteps / 10));
}
