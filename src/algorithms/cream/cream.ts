/**
 * Cream of the Crop on one screen: train sampled paths, let the best-matching path of the board teach
 * each, let the meta network learn who matches whom, keep the crop.
 *
 * @see Peng et al., "Cream of the Crop: Distilling Prioritized Paths For One-Shot Neural
 * Architecture Search" (NeurIPS 2020); `docs/fidelity.md` lists where we differ from its code.
 */

import { sliceBatch, type Batch } from '../../data/stream/batch.ts';
import { createRng } from '../../foundation/rng.ts';
import { canonicalPath } from '../../searchspace/canonical.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import type { Path } from '../../searchspace/space.ts';
import type {
  Algorithm,
  AlgorithmDefinition,
  PathGradients,
  Setting,
  StepWork,
} from '../algorithm.ts';
import { shareOf } from '../shares.ts';
import { apply, holdRound, probeOf } from './admission.ts';
import { emptyBoard } from './board.ts';
import { studentLoss } from './loss.ts';
import { createMetaNetwork, type MetaNetwork } from './meta-network.ts';
import { metaStep } from './meta-step.ts';
import { matchesOf } from './probes.ts';
import { CREAM_METRICS, creamMetrics, describeCream, tellCream } from './report.ts';
import { restoreCream, saveCream } from './saved.ts';
import { creamSettings, type CreamSettings } from './settings.ts';
import { advance, EMPTY_TALLY, NO_ACTIVITY, type CreamState, type Lesson } from './state.ts';
import { bestTeacher, chooseTeacher, randomTeacher, type Teacher } from './teacher.ts';

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
  selection: 'evolution',
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
    const matched = match(state, meta, { ...student, probe, index }, { work, settings });
    meta = matched.meta;
    return train(student, matched.teacher, work, settings);
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

/** A path and the images that it is trained on. */
interface Student {
  readonly path: Path;
  readonly share: Batch;
}

function drawStudents({ step, batch, learner }: StepWork, settings: CreamSettings): Student[] {
  const { seed, sampling, pathsPerStep } = settings;
  const rng = createRng({ seed, stream: 'path', step });
  return Array.from({ length: pathsPerStep }, (_, index) => ({
    path: samplePath(learner.supernet.space, sampling, rng),
    share: shareOf(batch, index, pathsPerStep),
  }));
}

/** Finds a student's teacher. Of a step's students the first one may teach the meta network. */
function match(
  { board, activity }: CreamState,
  meta: MetaNetwork,
  { path, share, probe, index }: Student & { probe: Batch; index: number },
  { work, settings }: { readonly work: StepWork; readonly settings: CreamSettings },
): { readonly meta: MetaNetwork; readonly teacher: Teacher | null } {
  const { step, heldOut, learner } = work;
  const { matching, labelSmoothing, seed } = settings;
  const { interval, images, lr } = settings.meta;
  const { supernet } = learner;
  const student = canonicalPath(supernet.space, path);
  if (matching === 'best') return { meta, teacher: bestTeacher(board, student) };
  if (matching === 'random') {
    const rng = createRng({ seed, stream: 'teacher', step, index });
    return { meta, teacher: randomTeacher(board, student, rng) };
  }
  const matches = matchesOf(supernet, board, path, probe);
  const teacher = chooseTeacher(meta, matches, student);
  if (teacher === null || index > 0 || step % interval !== 0) return { meta, teacher };
  const training = sliceBatch(share, 0, Math.min(images, share.count));
  const validation = heldOut.meta(activity.metaSteps, images);
  const pair = { student: path, teacher, probe, training, validation };
  const learned = metaStep(supernet, meta, pair, { xi: learner.lr, metaLr: lr, labelSmoothing });
  return { meta: learned, teacher: chooseTeacher(learned, matches, student) };
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
