import type { Algorithm, MetricDeclaration, Score } from '../algorithms/algorithm.ts';
import type { Metrics } from '../foundation/metrics.ts';
import { macsModel } from '../searchspace/cost-model.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { Path } from '../searchspace/space.ts';
import { drawPaths } from '../selection/draws.ts';
import type { TrainingPlan } from './plan.ts';
import { learningRate } from './schedule.ts';
import { rateScale } from './stability.ts';
import type { SearchState } from './state.ts';

/** Random paths that stand in for candidates where the algorithm has none. */
const STAND_INS = 10;

/** What every algorithm reports of an epoch. */
export const COMMON_METRICS: readonly MetricDeclaration[] = [
  {
    key: 'default',
    unit: 'fraction',
    meaning:
      "Accuracy of the best of the algorithm's candidates on the ranking images, the number that NNI optimises; the mean of random paths where there is no candidate; of the final report, the accuracy of the answer on the images that confirm it, or in a small set on the ranking images.",
  },
  { key: 'loss', unit: 'nats', meaning: 'Mean training loss of the epoch.' },
  {
    key: 'bestMacs',
    unit: 'multiply-accumulates',
    meaning: 'Cost of the best ranked path.',
  },
  { key: 'lr', unit: 'per step', meaning: 'Learning rate at the end of the epoch.' },
  {
    key: 'imagesPerSecond',
    unit: 'images/s',
    meaning:
      'Training throughput of the epoch, an image counted once for each path; rankings are not counted.',
  },
  {
    key: 'imagesSeen',
    unit: 'images',
    meaning: 'Image passes of the training so far, an image counted once for each path.',
  },
  {
    key: 'skippedSteps',
    unit: 'steps',
    meaning: 'Steps of the run that were skipped because a number in them was not finite.',
  },
  {
    key: 'skippedImages',
    unit: 'images',
    meaning: 'Images of the data set that could not be used.',
  },
];

/** Which paths an epoch's report ranks: the algorithm's candidates, or random paths. */
export function pathsToRank<Own>(
  { own, supernet }: SearchState<Own>,
  algorithm: Pick<Algorithm<Own>, 'candidates'>,
  { seed, sampling, epoch }: { seed: number; sampling: SamplerOptions; epoch: number },
): readonly Path[] {
  const candidates = algorithm.candidates(own);
  if (candidates.length > 0) return candidates;
  return drawPaths(supernet.space, { sampling, seed, stream: 'stand-in', step: epoch }, STAND_INS);
}

/** An epoch's metrics. */
export function metricsOf<Own>(
  state: SearchState<Own>,
  ranking: readonly Score[],
  context: {
    readonly plan: TrainingPlan;
    readonly algorithm: Algorithm<Own>;
    readonly skippedImages: number;
  },
): Metrics {
  const { step, own, tally, stability, supernet } = state;
  const { plan, algorithm, skippedImages } = context;
  const best = ranking[0] as Score;
  const mean = ranking.reduce((sum, { accuracy }) => sum + accuracy, 0) / ranking.length;
  return {
    default: algorithm.candidates(own).length > 0 ? best.accuracy : mean,
    loss: tally.loss / Math.max(1, tally.steps),
    ...algorithm.metrics(own, ranking),
    bestMacs: macsModel(supernet.space).cost(best.path),
    lr: rateScale(stability) * learningRate(plan.rate.lr, step, plan.rate),
    imagesPerSecond: (1000 * tally.images) / Math.max(1, tally.ms),
    imagesSeen: (state.reports.at(-1)?.['imagesSeen'] ?? 0) + tally.images,
    skippedSteps: stability.skipped,
    skippedImages,
  };
}
