import { TrialError } from '../../foundation/errors.ts';
import type { SamplerOptions } from '../../searchspace/sampler.ts';
import type { Setting } from '../algorithm.ts';

/** Numbers of the released code, nothing left to default. */
export interface OfficialSettings {
  readonly boardSize: number;
  /** S: images of a probe, and of either slice of a meta update. */
  readonly probeImages: number;
  /** Epochs before the board opens. */
  readonly warmupEpochs: number;
  /** Lead in training-batch accuracy that outweighs cost, fraction. */
  readonly accGap: number;
  /** Global steps between two meta updates. */
  readonly metaInterval: number;
  /** Rate of the meta network at the start of the run. */
  readonly metaLr: number;
  readonly labelSmoothing: number;
  readonly seed: number;
  readonly totalSteps: number;
  readonly sampling: SamplerOptions;
}

/** The code's values: SLICE, META_LR and `acc_gap`. */
const PROBE_IMAGES = 4;
const META_LR = 1e-4;
const ACC_GAP = 0.05;

/** The board opens after 21 of 120 epochs (META_STA_EPOCH 20); a run of any length keeps the share. */
export function defaultWarmupEpochs(epochs: number): number {
  return Math.min(epochs - 1, Math.max(1, Math.round((epochs * 21) / 120)));
}

/**
 * The code's 200 steps, in a run too short for them a fiftieth of it, at least 10. Not 200 in 150,120:
 * each meta update is a step of the student on a few images, and short runs would be full of them.
 */
export function defaultMetaInterval(totalSteps: number): number {
  return Math.min(200, Math.max(10, Math.round(totalSteps / 50)));
}

/**
 * Rate of the meta network: it falls to 0 in a straight line, as every rate of the code does.
 *
 * @param step - Global steps done before.
 */
export function metaRate(
  { metaLr, totalSteps }: Pick<OfficialSettings, 'metaLr' | 'totalSteps'>,
  step: number,
): number {
  return metaLr * Math.max(0, 1 - step / totalSteps);
}

/**
 * Fills in what depends on the length of the run. Paths are drawn uniformly whatever `prior` says
 * (defect D1).
 *
 * @throws TrialError CONFIG_INVALID when the board could never open, or a batch is too small.
 */
export function officialSettings({ config, schedule, sampling }: Setting): OfficialSettings {
  const { boardSize, batchSize, labelSmoothing, seed } = config;
  const settings = {
    boardSize,
    probeImages: config.probeImages ?? Math.min(PROBE_IMAGES, Math.floor(batchSize / 2)),
    warmupEpochs: config.warmupEpochs ?? defaultWarmupEpochs(schedule.epochs),
    accGap: config.accGap ?? ACC_GAP,
    metaInterval: config.metaInterval ?? defaultMetaInterval(schedule.totalSteps),
    metaLr: config.metaLr ?? META_LR,
    labelSmoothing,
    seed,
    totalSteps: schedule.totalSteps,
    sampling: { ...sampling, prior: null },
  };
  const refuse = (where: string, wanted: string, found: number): never => {
    const next = 'Correct the trial config.';
    throw new TrialError('CONFIG_INVALID', { where, wanted, found: String(found), next });
  };
  if (settings.warmupEpochs >= schedule.epochs) {
    const wanted = `fewer than epochs (${schedule.epochs}), or the board never opens`;
    refuse('warmupEpochs', wanted, settings.warmupEpochs);
  }
  if (batchSize < 2)
    refuse('batchSize', 'at least 2: a meta update takes two slices of it', batchSize);
  if (2 * settings.probeImages > batchSize) {
    const wanted = `at most half of batchSize (${batchSize}): a meta update takes two slices`;
    refuse('probeImages', wanted, settings.probeImages);
  }
  return settings;
}
