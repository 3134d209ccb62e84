import { sliceBatch, type Batch } from '../data/stream/batch.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import type { Path } from '../searchspace/space.ts';
import type { Learner, LossOf, StepResult, StepWork } from './algorithm.ts';
import { labelLoss } from './stateless.ts';

/** The paths of one step, and what each of them learns from. */
export interface PathsToTrain {
  readonly paths: readonly Path[];
  readonly pathBatch: TrialConfigFile['pathBatch'];
  /** Loss of the k-th path on the images that it is trained on. */
  readonly lossOf: (learner: Learner, own: Batch, k: number) => LossOf;
}

/** Each path learns from the labels alone. */
export function fromLabels(
  paths: readonly Path[],
  { pathBatch, labelSmoothing }: Pick<TrialConfigFile, 'pathBatch' | 'labelSmoothing'>,
): PathsToTrain {
  const lossOf: PathsToTrain['lossOf'] = (learner, own) => labelLoss(learner, own, labelSmoothing);
  return { paths, pathBatch, lossOf };
}

/**
 * Trains several paths at one point of the weights: takes the gradient of each, adds them up, and makes
 * one update. A loss is a mean over the images of its path, so that the sum is that of as many steps of
 * one path, as in FairNAS: a candidate that one path takes moves by the whole of that path's gradient,
 * and what all paths have in common by the sum, whose norm `clipNorm` limits.
 */
export function trainPaths<State>(
  state: State,
  { batch, learner }: StepWork,
  { paths, pathBatch, lossOf }: PathsToTrain,
): StepResult<State> {
  const batches = paths.map((_, k) =>
    pathBatch === 'whole' ? batch : shareOf(batch, k, paths.length),
  );
  const trained = batches.map((own, k) =>
    learner.gradientsOf(paths[k] as Path, own, lossOf(learner, own, k)),
  );
  const isFinite = learner.update(trained);
  const loss = trained.reduce((sum, part) => sum + part.loss, 0) / trained.length;
  const images = batches.reduce((sum, own) => sum + own.count, 0);
  return { next: isFinite ? state : null, loss, paths, images };
}

/**
 * The k-th of equal parts of a batch, as far as they can be equal; at least one image. Parts share
 * images only where there are more of them than images.
 */
export function shareOf(batch: Batch, k: number, parts: number): Batch {
  const cut = (at: number): number => Math.floor((at * batch.count) / parts);
  const start = cut(k);
  return sliceBatch(batch, start, Math.max(cut(k + 1), start + 1));
}
