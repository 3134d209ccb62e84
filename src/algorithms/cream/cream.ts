/**
 * Cream of the Crop on one screen: train sampled paths, let the best-matching path of the board teach
 * each, let the meta network learn who matches whom, keep the crop.
 *
 * @see Peng et al., "Cream of the Crop: Distilling Prioritized Paths For One-Shot Neural
 * Architecture Search" (NeurIPS 2020); `docs/fidelity.md` lists where we differ from its code.
 */

import { createRng } from '../../foundation/rng.ts';
import { canonicalPath } from '../../searchspace/canonical.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import type {
  Algorithm,
  AlgorithmDefinition,
  PathGradients,
  Setting,
  StepWork,
} from '../algorithm.ts';
import { shareOf } from '../several-paths.ts';
import { apply, holdRound, probeOf } from './admission.ts';
import { emptyBoard } from './board.ts';
import { studentLoss } from './loss.ts';
import { findTeacher, type Student } from './matching.ts';
import { createMetaNetwork } from './meta-network.ts';
import { CREAM_METRICS, creamMetrics, describeCream, tellCream } from './report.ts';
import { restoreCream, saveCream } from './saved.ts';
import { creamSettings, type CreamSettings } from './settings.ts';
import { advance, EMPTY_TALLY, NO_ACTIVITY, type CreamState, type Lesson } from './state.ts';
import type { Teacher } from './teacher.ts';

/** The algorithm of the paper, with the defects of its released code mended. */
export const cream: AlgorithmDefinition<CreamState> = {
  paper: 'Peng et al., "Cream of the Crop" (NeurIPS 2020)',
  metrics: CREAM_METRICS,
  configKeys: [
    'pathsPerStep',
    'metaLr',
    'boardSize',
    'probeImages',
    'metaImages',
    'metaInterval',
    'warmupEpochs',
    'admission',
    'accGap',
    'matching',
  ],
  selection: 'mainEffects',
  create: (setting) => createCream(setting, creamSettings(setting)),
};

function createCream(setting: Setting, settings: CreamSettings): Algorithm<CreamState> {
  const { space, schedule, macsOf } = setting;
  const { boardSize, probeImages, seed, meta, board } = settings;
  const inputs = probeImages * space.classes;
  return {
    settings: {
      pathsPerStep: settings.pathsPerStep,
      metaLr: meta.lr,
      metaInterval: meta.interval,
      metaImages: meta.images,
      probeImages,
      warmupEpochs: board.warmupEpochs,
    },
    savedNumbers: (3 + boardSize) * inputs,
    initialState: () => ({
      meta: createMetaNetwork(inputs, seed),
      board: emptyBoard(boardSize),
      applicants: [],
      activity: NO_ACTIVITY,
      tally: EMPTY_TALLY,
    }),
    step: (state, work) => trainStep(state, work, { settings, macsOf }),
    candidates: (state) => state.board.entries.map(({ path }) => path),
    metrics: creamMetrics,
    endEpoch: (state) => ({ ...state, tally: EMPTY_TALLY }),
    tell: (state, ranking) => tellCream(state, ranking, space),
    save: saveCream,
    restore: (saved) => restoreCream(saved, space, probeImages),
    describe: (state, ranking) => describeCream(state, ranking, { seed, schedule, space }),
  };
}

/** One iteration: every path has its own share of the batch. */
function trainStep(
  state: CreamState,
  work: StepWork,
  { settings, macsOf }: { settings: CreamSettings; macsOf: Setting['macsOf'] },
): ReturnType<Algorithm<CreamState>['step']> {
  const { step, batch, learner, heldOut } = work;
  const { space } = learner.supernet;
  const probe = probeOf(heldOut.board, settings.probeImages);
  let { meta } = state;
  const trained = drawStudents(work, settings).map((student, index) => {
    const found = findTeacher({ ...state, meta }, { ...student, probe, index }, work, settings);
    meta = found.meta;
    return train(student, found.teacher, work, settings);
  });
  const paths = trained.map(({ part }) => part.path);
  const loss = mean(trained.map(({ part }) => part.loss));
  const isFinite = learner.update(trained.map(({ part }) => part));
  if (!isFinite) return { next: null, loss, paths, images: batch.count };

  const examined = trained.map(({ part: { path }, crossEntropy }) => {
    return { path: canonicalPath(space, path), macs: macsOf(path), crossEntropy };
  });
  const applicants = apply(state.board, state.applicants, examined);
  const round = isRound(work, settings)
    ? holdRound(state.board, applicants, {
        learner,
        step,
        rule: settings.board.rule,
        miniSet: heldOut.board,
        probe,
      })
    : null;
  const lessons = trained.flatMap(({ lesson }) => lesson ?? []);
  const next = advance(state, {
    epoch: work.epoch,
    meta,
    round,
    applicants: round === null ? applicants : [],
    lessons,
  });
  return { next, loss, paths, images: batch.count };
}

function drawStudents({ step, batch, learner }: StepWork, settings: CreamSettings): Student[] {
  const { seed, sampling, pathsPerStep } = settings;
  const rng = createRng({ seed, stream: 'path', step });
  const { space } = learner.supernet;
  const paths = Array.from({ length: pathsPerStep }, () => samplePath(space, sampling, rng));
  return paths.map((path, k) => ({ path, share: shareOf(batch, k, paths.length) }));
}

/** Takes the gradients of a student's loss. */
function train(
  { path, share }: Student,
  teacher: Teacher | null,
  { learner }: StepWork,
  { labelSmoothing }: CreamSettings,
): { part: PathGradients; crossEntropy: number; lesson: Lesson | null } {
  const lossOf = studentLoss(learner.supernet, share, teacher, labelSmoothing);
  const part = learner.gradientsOf(path, share, lossOf);
  const crossEntropy = part.outputs['ce']?.[0] ?? NaN;
  const kd = part.outputs['kd']?.[0] ?? NaN;
  const lesson = teacher && { teacher: teacher.entry.path, kd, rho: teacher.rho };
  return { part, crossEntropy, lesson };
}

/** Whether the board is measured anew after a step: first when it opens. */
function isRound({ step, epoch }: StepWork, { board }: CreamSettings): boolean {
  return epoch >= board.warmupEpochs && (step - board.opensAt) % board.interval === 0;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
