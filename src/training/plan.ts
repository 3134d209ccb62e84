import { TrialError } from '../foundation/errors.ts';
import type { Budget } from '../searchspace/budget.ts';
import type { Path } from '../searchspace/space.ts';
import { noiseGap } from '../algorithms/cream/board.ts';
import {
  DEFAULT_META_LR,
  defaultLearningRate,
  defaultMetaInterval,
  defaultWarmupEpochs,
} from './schedule.ts';

/** What a user may say about a search; what is left out scales with the run. */
export interface SearchSettings {
  readonly seed: number;
  readonly epochs: number;
  /** Training images drawn afresh each epoch. */
  readonly imagesPerEpoch: number;
  readonly batchSize: number;
  readonly lr?: number | undefined;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly metaLr?: number | undefined;
  readonly boardSize: number;
  readonly probeImages: number;
  readonly metaImages: number;
  readonly metaInterval?: number | undefined;
  readonly warmupEpochs?: number | undefined;
  readonly accGap?: number | undefined;
  readonly minMacs: number;
  readonly maxMacs?: number | undefined;
  readonly prior?: Readonly<Record<string, number>> | undefined;
  /** Ranking images of an epoch report; all of them at the end. */
  readonly rankingImages?: number | undefined;
}

/** All numbers of a search, nothing left to default. */
export interface SearchPlan {
  readonly minMacs: number;
  readonly maxMacs: number;
  readonly seed: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly batchSize: number;
  /** Learning rate of the first step. */
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly metaLr: number;
  readonly boardSize: number;
  readonly probeImages: number;
  readonly metaImages: number;
  /** Global steps between two meta steps. */
  readonly metaInterval: number;
  /** Epochs before the board opens. */
  readonly warmupEpochs: number;
  /** Accuracy lead that outweighs cost, fraction, at a worst entry of that accuracy. */
  readonly gapAt: (worst: number) => number;
  readonly prior: Readonly<Record<string, number>> | null;
  /** Ranking images of an epoch report. */
  readonly rankingImages: number;
}

/** The budget of a plan over costs that are computed already. */
export function planBudget(
  { minMacs, maxMacs }: SearchPlan,
  macsOf: (path: Path) => number,
): Budget {
  const model = { name: 'macs', unit: 'multiply-accumulates', cost: macsOf, table: null };
  return { ranges: [{ model, min: minMacs, max: maxMacs }] };
}

/**
 * Fills in what depends on the length of the run.
 *
 * @param boardImages - Images of the mini-set that accuracies are measured on.
 * @throws TrialError CONFIG_INVALID when the board could never open, or a batch is too small.
 */
export function planSearch(settings: SearchSettings, boardImages: number): SearchPlan {
  const { epochs, batchSize, accGap } = settings;
  const stepsPerEpoch = Math.max(1, Math.floor(settings.imagesPerEpoch / batchSize));
  const totalSteps = epochs * stepsPerEpoch;
  const warmupEpochs = settings.warmupEpochs ?? defaultWarmupEpochs(epochs);
  checkSettings(settings, warmupEpochs);
  return {
    ...settings,
    stepsPerEpoch,
    totalSteps,
    lr: settings.lr ?? defaultLearningRate(batchSize),
    metaLr: settings.metaLr ?? DEFAULT_META_LR,
    metaInterval: settings.metaInterval ?? defaultMetaInterval(totalSteps),
    warmupEpochs,
    gapAt: accGap === undefined ? noiseGap(boardImages) : () => accGap,
    maxMacs: settings.maxMacs ?? Infinity,
    prior: settings.prior ?? null,
    rankingImages: settings.rankingImages ?? Infinity,
  };
}

/** Refuses numbers that each are legal and together make Cream do nothing, or the wrong thing. */
function checkSettings(settings: SearchSettings, warmupEpochs: number): void {
  const { epochs, batchSize, probeImages, metaImages } = settings;
  const refuse = (where: string, wanted: string, found: number): never => {
    const next = 'Correct the trial config.';
    throw new TrialError('CONFIG_INVALID', { where, wanted, found: String(found), next });
  };
  if (epochs <= warmupEpochs) {
    refuse('epochs', `more than the ${warmupEpochs} before the board opens`, epochs);
  }
  if (probeImages > batchSize)
    refuse('probeImages', `at most batchSize (${batchSize})`, probeImages);
  if (metaImages > batchSize) refuse('metaImages', `at most batchSize (${batchSize})`, metaImages);
}
