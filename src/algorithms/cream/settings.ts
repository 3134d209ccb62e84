import { TrialError } from '../../foundation/errors.ts';
import type { SamplerOptions } from '../../searchspace/sampler.ts';
import type { Setting } from '../algorithm.ts';
import { roundInterval } from './admission.ts';
import { noiseGap, officialRule, paretoRule, type AdmissionRule } from './board.ts';

/** Numbers of Cream beside those of every search, nothing left to default. */
export interface CreamSettings {
  readonly boardSize: number;
  readonly pathsPerStep: number;
  /** Held-out images on which students and teachers are compared. */
  readonly probeImages: number;
  readonly board: AdmissionSettings;
  readonly meta: MetaSettings;
  /** Who picks teachers. */
  readonly matching: Setting['config']['matching'];
  readonly labelSmoothing: number;
  readonly seed: number;
  readonly sampling: SamplerOptions;
}

/** Who comes onto the board. */
export interface AdmissionSettings {
  /** Epochs before the board opens. */
  readonly warmupEpochs: number;
  /** Step after which the first round is held, from 0. */
  readonly opensAt: number;
  /** Steps between two rounds. */
  readonly interval: number;
  readonly rule: AdmissionRule;
}

/** When and how the meta network learns. */
export interface MetaSettings {
  /** Global steps between two meta steps. */
  readonly interval: number;
  readonly lr: number;
  /** Training images of the virtual step. */
  readonly images: number;
}

/** Learning rate of the meta network, whose parameters stay within 1. */
export const DEFAULT_META_LR = 0.05;

/** Images on which paths are compared, and those of a meta step, where there are as many. */
const PROBE_IMAGES = 8;
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
  const { accGap, admission, boardSize, batchSize } = config;
  const warmupEpochs =
    config.warmupEpochs ?? Math.min(defaultWarmupEpochs(schedule.epochs), schedule.epochs - 1);
  const gapAt = accGap === undefined ? noiseGap(boardImages) : () => accGap;
  const probeImages = config.probeImages ?? Math.min(PROBE_IMAGES, boardImages);
  const settings: CreamSettings = {
    boardSize,
    pathsPerStep: Math.min(config.pathsPerStep, batchSize),
    matching: config.matching,
    probeImages,
    board: {
      warmupEpochs,
      opensAt: warmupEpochs * schedule.stepsPerEpoch,
      interval: roundInterval(boardSize, { images: boardImages + probeImages, batchSize }),
      rule: admission === 'official' ? officialRule(gapAt) : paretoRule,
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
  { config, schedule, boardImages }: Setting,
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
  if (probeImages > boardImages) {
    refuse('probeImages', `at most the ${boardImages} images of the mini-set`, probeImages);
  }
  if (meta.images > batchSize) {
    refuse('metaImages', `at most batchSize (${batchSize})`, meta.images);
  }
}
