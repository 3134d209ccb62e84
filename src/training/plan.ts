import type { Schedule } from '../algorithms/algorithm.ts';
import { averaging } from '../engine/averaging.ts';
import { adamW, nesterovSgd, type Optimizer } from '../engine/optimizer.ts';
import { TrialError } from '../foundation/errors.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import { defaultWarmupSteps, type RateSchedule } from './schedule.ts';

/** All numbers of a training that no algorithm is asked about, nothing left to default. */
export interface TrainingPlan extends Schedule {
  readonly seed: number;
  readonly batchSize: number;
  readonly rate: RateSchedule & {
    /** The largest learning rate. */
    readonly lr: number;
  };
  readonly optimizer: Optimizer & {
    /** Largest norm of a step's gradient; Infinity for no limit. */
    readonly clipNorm: number;
    readonly weightDecay: number;
  };
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
  | 'optimizer'
  | 'lr'
  | 'schedule'
  | 'warmupSteps'
  | 'momentum'
  | 'weightDecay'
  | 'clipNorm'
  | 'averaging'
  | 'rankingImages'
>;

/** Decay of Adam's mean squared gradient. */
const BETA2 = 0.99;

/** Batch that the default rate of `sgd` is for. */
const REFERENCE_BATCH = 128;

/** Defaults by optimizer; measured, see docs/training.md. */
const DEFAULTS = {
  sgd: { lr: (batchSize: number) => (0.2 * batchSize) / REFERENCE_BATCH, weightDecay: 1e-4 },
  adamw: { lr: () => 0.003, weightDecay: 0.01 },
} as const;

/**
 * Fills in what a config leaves out.
 *
 * @param trainingImages - Images of the training part.
 * @throws TrialError CONFIG_INVALID when the warm-up takes all steps.
 */
export function planTraining(config: TrainingConfig, trainingImages: number): TrainingPlan {
  const { seed, epochs, batchSize } = config;
  const images = config.imagesPerEpoch ?? trainingImages;
  const stepsPerEpoch = Math.max(1, Math.floor(images / batchSize));
  const totalSteps = epochs * stepsPerEpoch;
  const warmupSteps = config.warmupSteps ?? defaultWarmupSteps(totalSteps);
  if (warmupSteps >= totalSteps) throw warmupTooLong(warmupSteps, totalSteps);
  const lr = config.lr ?? DEFAULTS[config.optimizer].lr(batchSize);
  return {
    seed,
    epochs,
    stepsPerEpoch,
    totalSteps,
    batchSize,
    rate: { lr, shape: config.schedule, warmupSteps, totalSteps },
    optimizer: optimizerOf(config),
    rankingImages: config.rankingImages ?? Infinity,
  };
}

function optimizerOf(config: TrainingConfig): TrainingPlan['optimizer'] {
  const { optimizer, momentum } = config;
  const weightDecay = config.weightDecay ?? DEFAULTS[optimizer].weightDecay;
  const clipNorm = config.clipNorm === 0 ? Infinity : config.clipNorm;
  const rule =
    optimizer === 'sgd'
      ? nesterovSgd({ momentum, weightDecay })
      : adamW({ beta1: momentum, beta2: BETA2, weightDecay });
  const averaged = config.averaging === 0 ? rule : averaging(rule, config.averaging);
  return { ...averaged, clipNorm, weightDecay };
}

function warmupTooLong(warmupSteps: number, totalSteps: number): TrialError {
  return new TrialError('CONFIG_INVALID', {
    where: 'warmupSteps',
    wanted: `fewer than the ${totalSteps} steps of the run`,
    found: String(warmupSteps),
    next: 'Correct the trial config.',
  });
}
