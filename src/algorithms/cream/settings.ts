import { TrialError } from '../../foundation/errors.ts';
import type { SamplerOptions } from '../../searchspace/sampler.ts';
import type { Setting } from '../algorithm.ts';
import { noiseGap } from './board.ts';

/** Numbers of Cream beside those of every search, nothing left to default. */
export interface CreamSettings {
  readonly boardSize: number;
  /** Images of its batch that a path is admitted with. */
  readonly probeImages: number;
  readonly board: AdmissionSettings;
  readonly meta: MetaSettings;
  readonly labelSmoothing: number;
  readonly seed: number;
  readonly sampling: SamplerOptions;
}

/** Who comes onto the board. */
export interface AdmissionSettings {
  /** Epochs before the board opens. */
  readonly warmupEpochs: number;
  /** Accuracy lead that outweighs cost, fraction, at a worst entry of that accuracy. */
  readonly gapAt: (worst: number) => number;
}

/** When and how the meta network learns. */
export interface MetaSettings {
  /** Global steps between two meta steps. */
  readonly interval: number;
  readonly lr: number;
  /** Training images of the virtual step. */
  readonly images: number;
}

/**
 * Learning rate of the meta network. Its gradient carries the student's step size and is small: the
 * 31 meta steps of the CIFAR-10 example moved phi by 0.2 % of its length at 0.1, by 1.2 % at 1.2.
 */
export const DEFAULT_META_LR = 1.2;

/** Images that a path is admitted with, and those of a meta step, where a batch holds as many. */
const PROBE_IMAGES = 4;
const META_IMAGES = 32;

/** Cream opens its board after 21 of 120 epochs; a run of any length keeps the proportion. */
export function defaultWarmupEpochs(epochs: number): number {
  return Math.max(1, Math.round((epochs * 21) / 120));
}

/** Global steps between two meta steps: at least 10, at most Cream's 200, about 50 in a run. */
export function defaultMetaInterval(totalSteps: number): number {
  return Math.min(200, Math.max(10, Math.round(totalSteps / 50)));
}

/**
 * Fills in what depends on the length of the run.
 *
 * @throws TrialError CONFIG_INVALID when the board could never open, or a batch is too small.
 */
export function creamSettings(setting: Setting): CreamSettings {
  const { config, schedule, sampling, boardImages } = setting;
  const { accGap } = config;
  const settings: CreamSettings = {
    boardSize: config.boardSize,
    probeImages: config.probeImages ?? Math.min(PROBE_IMAGES, config.batchSize),
    board: {
      warmupEpochs:
        config.warmupEpochs ?? Math.min(defaultWarmupEpochs(schedule.epochs), schedule.epochs - 1),
      gapAt: accGap === undefined ? noiseGap(boardImages) : () => accGap,
    },
    meta: {
      interval: config.metaInterval ?? defaultMetaInterval(schedule.totalSteps),
      lr: config.metaLr ?? DEFAULT_META_LR,
      images: config.metaImages ?? Math.min(META_IMAGES, config.batchSize),
    },
    labelSmoothing: config.labelSmoothing,
    seed: config.seed,
    sampling,
  };
  checkSettings(settings, setting);
  return settings;
}

/** Refuses numbers that each are legal and together make Cream do nothing, or the wrong thing. */
function checkSettings(
  { board, meta, probeImages }: CreamSettings,
  { config, schedule }: Setting,
): void {
  const { warmupEpochs } = board;
  const { batchSize } = config;
  const refuse = (where: string, wanted: string, found: number): never => {
    const next = 'Correct the trial config.';
    throw new TrialError('CONFIG_INVALID', { where, wanted, found: String(found), next });
  };
  if (warmupEpochs >= schedule.epochs) {
    const wanted = `fewer than epochs (${schedule.epochs}), or the board never opens`;
    refuse('warmupEpochs', wanted, warmupEpochs);
  }
  if (probeImages > batchSize) {
    refuse('probeImages', `at most batchSize (${batchSize})`, probeImages);
  }
  if (meta.images > batchSize) {
    refuse('metaImages', `at most batchSize (${batchSize})`, meta.images);
  }
}
