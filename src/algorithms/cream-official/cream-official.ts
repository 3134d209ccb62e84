/**
 * Cream of the Crop as its released code really trains (microsoft/Cream @ 4a13c40), a baseline: with
 * the defects that change the algorithm, on the loop of every other algorithm. Not for use: `cream` is
 * the algorithm of the paper.
 *
 * Reproduced, by number: D1 uniform sampling whatever the prior; D2, D3 rho = sigmoid(-s) of the
 * board's last entry, with the arg max of s as teacher; D4 softmax differences; D5 an entry stores its
 * teacher's softmax; D6 for ever; D7 the training loss trains the meta network at every step, and
 * reaches the student through rho; D9 the meta-gradient by the student's first tensor and the meta
 * network's rate; D11 its student step is real; D12 on rho KD alone; D13 with slices of the training
 * batch; D14 the board goes by the accuracy of one training batch, the answer is its first entry.
 *
 * Left out:
 * - D8, where the rate of the student turns negative: the rate is the loop's. D10 is mended at 4a13c40.
 * - D11's mixture of old and new weights in the second derivative: here all are the new ones.
 * - D15: of the passes that move running statistics only those with gradients of the whole path do;
 *   no score depends on it, since every score recalibrates.
 * - D28, weights off the path that drift: an algorithm steps only the paths that it names.
 * - D17, D18 and D19, which lose the board or end the run; D16, D29 and D30 have no counterpart here.
 * - The first batch of an epoch, which has no meta update: intervals count the run's steps.
 *
 * @see Peng et al., "Cream of the Crop: Distilling Prioritized Paths For One-Shot Neural
 * Architecture Search" (NeurIPS 2020); Cream lib/core/train.py @ 4a13c40, lines 28 to 91.
 */

import { createRng } from '../../foundation/rng.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import { accuracyOf } from '../../supernet/classification.ts';
import type {
  Algorithm,
  AlgorithmDefinition,
  PathGradients,
  Setting,
  StepWork,
} from '../algorithm.ts';
import { admit } from './admission.ts';
import { emptyBoard } from './board.ts';
import { lessonOf, type Lesson } from './lesson.ts';
import { trainingLoss } from './loss.ts';
import {
  createMetaNetwork,
  leakGradient,
  stepMetaNetwork,
  type MetaNetwork,
} from './meta-network.ts';
import { metaStep } from './meta-step.ts';
import { describeOfficial, OFFICIAL_METRICS, officialMetrics } from './report.ts';
import { restoreOfficial, saveOfficial } from './saved.ts';
import { metaRate, officialSettings, type OfficialSettings } from './settings.ts';
import { advance, EMPTY_TALLY, NO_ACTIVITY, type OfficialState, type StepRecord } from './state.ts';
import { differenceTo } from './teacher.ts';

/** The algorithm of the released code, its defects included. */
export const creamOfficial: AlgorithmDefinition<OfficialState> = {
  paper: 'Released code of Peng et al., "Cream of the Crop" (NeurIPS 2020)',
  metrics: OFFICIAL_METRICS,
  configKeys: ['metaLr', 'boardSize', 'probeImages', 'metaInterval', 'warmupEpochs', 'accGap'],
  selection: 'board',
  create: (setting) => createOfficial(setting, officialSettings(setting)),
};

function createOfficial(setting: Setting, settings: OfficialSettings): Algorithm<OfficialState> {
  const { space, schedule, macsOf } = setting;
  const { boardSize, probeImages, metaInterval, metaLr, warmupEpochs, accGap, seed } = settings;
  const inputs = probeImages * space.classes;
  return {
    settings: { metaLr, metaInterval, probeImages, warmupEpochs, accGap },
    savedNumbers: 2 * inputs + boardSize * (probeImages * 3 * space.imageSize ** 2 + inputs),
    initialState: () => ({
      meta: createMetaNetwork(inputs, seed),
      board: emptyBoard(boardSize),
      activity: NO_ACTIVITY,
      tally: EMPTY_TALLY,
    }),
    step: (state, work) => trainStep(state, work, { settings, macsOf }),
    // No validation picks among them: the answer is the one with the luckiest batch.
    candidates: ({ board }) => board.entries.slice(0, 1).map(({ path }) => path),
    metrics: officialMetrics,
    tell: () => '',
    endEpoch: (state) => ({ ...state, tally: EMPTY_TALLY }),
    save: (state) => saveOfficial(state, space),
    restore: (saved) => restoreOfficial(saved, space, settings),
    describe: (state, ranking) => describeOfficial(state, ranking, { seed, schedule }),
  };
}

/**
 * One iteration. Where the loss after a meta update is not finite, that update's student step stays,
 * as it does wherever it is taken (defect D11).
 */
function trainStep(
  state: OfficialState,
  { step, epoch, batch, learner }: StepWork,
  { settings, macsOf }: { settings: OfficialSettings; macsOf: Setting['macsOf'] },
): ReturnType<Algorithm<OfficialState>['step']> {
  const { supernet } = learner;
  const { board } = state;
  const { probeImages, metaInterval, labelSmoothing, seed, sampling } = settings;
  const path = samplePath(supernet.space, sampling, createRng({ seed, stream: 'path', step }));
  const skipped = { next: null, paths: [path], images: batch.count };

  const rate = metaRate(settings, step);
  const isMetaStep = board.entries.length > 0 && step % metaInterval === 0;
  const pair = { student: path, board, batch };
  const phi = isMetaStep
    ? metaStep(learner, state.meta, pair, { images: probeImages, rate, labelSmoothing })
    : state.meta;
  if (phi === null) return { ...skipped, loss: NaN };

  const lesson = lessonOf(supernet, phi, { student: path, board, images: batch.images });
  const lossOf = trainingLoss(supernet, batch, lesson, labelSmoothing);
  const trained = learner.gradientsOf(path, batch, lossOf);
  if (!learner.update([trained])) return { ...skipped, loss: trained.loss };

  const { logits, probabilities } = trained.outputs as Record<
    'logits' | 'probabilities',
    Float32Array
  >;
  const applicant = {
    path,
    macs: macsOf(path),
    step,
    batch,
    batchAccuracy: accuracyOf(logits, batch.labels),
    probabilities,
    teaching: lesson?.teaching ?? null,
  };
  const next = advance(state, {
    epoch,
    isMetaStep,
    board: admit(board, applicant, epoch, settings),
    ...afterLesson(phi, lesson, trained, rate),
  });
  return { ...skipped, next, loss: trained.loss };
}

/** phi after the training loss has trained it too (defect D7), and what the lesson was. */
function afterLesson(
  phi: MetaNetwork,
  lesson: Lesson | null,
  { outputs }: PathGradients,
  rate: number,
): Pick<StepRecord, 'meta' | 'taught'> {
  if (lesson === null) return { meta: phi, taught: null };
  const numberOf = (name: string): number => outputs[name]?.[0] ?? NaN;
  const [kd, ce, rho] = ['kd', 'ce', 'rho'].map(numberOf) as [number, number, number];
  const difference = differenceTo(
    lesson.last.probe.probabilities,
    outputs['probe'] as Float32Array,
  );
  const gradient = leakGradient(phi, { kd, ce, difference });
  return { meta: stepMetaNetwork(phi, gradient, rate), taught: { kd, rho } };
}
