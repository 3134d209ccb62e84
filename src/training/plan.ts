import type { Schedule } from '../algorithms/algorithm.ts';
import { nesterovSgd, type Optimizer } from '../engine/optimizer.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import { defaultLearningRate } from './schedule.ts';

/** All numbers of a training that no algorithm is asked about, nothing left to default. */
export interface TrainingPlan extends Schedule {
  readonly seed: number;
  readonly batchSize: number;
  /** Learning rate of the first step. */
  readonly lr: number;
  readonly optimizer: Optimizer;
  /** Ranking images of an epoch report; the last one uses all. */
  readonly rankingImages: number;
}

/** What a config says about it. */
export type TrainingConfig = Pick<
  TrialConfigFile,
  | 'seed'
  | 'epochs'
  | 'imagesPerEpoch'
  | 'batchSize'
  | 'lr'
  | 'momentum'
  | 'weightDecay'
  | 'rankingImages'
>;

/**
 * Fills in what a config leaves out.
 *
 * @param trainingImages - Images of the training part.
 */
export function planTraining(config: TrainingConfig, trainingImages: number): TrainingPlan {
  const { seed, epochs, batchSize, momentum, weightDecay } = config;
  const images = config.imagesPerEpoch ?? trainingImages;
  const stepsPerEpoch = Math.max(1, Math.floor(images / batchSize));
  return {
    seed,
    epochs,
    stepsPerEpoch,
    totalSteps: epochs * stepsPerEpoch,
    batchSize,
    lr: config.lr ?? defaultLearningRate(batchSize),
    optimizer: nesterovSgd({ momentum, weightDecay }),
    rankingImages: config.rankingImages ?? Infinity,
  };
}
