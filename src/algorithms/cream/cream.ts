/**
 * Cream of the Crop on one screen: train one sampled path, let the best-matching path of the board
 * teach it, let the meta network learn who matches whom, keep the crop.
 *
 * @see Peng et al., "Cream of the Crop: Distilling Prioritized Paths For One-Shot Neural
 * Architecture Search" (NeurIPS 2020); `docs/fidelity.md` lists where we differ from its code.
 */

import { sliceBatch } from '../../data/stream/batch.ts';
import { createRng } from '../../foundation/rng.ts';
import { samplePath } from '../../searchspace/sampler.ts';
import { accuracyOf } from '../../supernet/classification.ts';
import type { Algorithm, AlgorithmDefinition, Setting, StepWork } from '../algorithm.ts';
import { admit } from './admission.ts';
import { emptyBoard } from './board.ts';
import { studentLoss } from './loss.ts';
import { createMetaNetwork } from './meta-network.ts';
import { metaStep } from './meta-step.ts';
import { matchesOf } from './probes.ts';
import { CREAM_METRICS, creamMetrics, describeCream } from './report.ts';
import { restoreCream, saveCream } from './saved.ts';
import { creamSettings, type CreamSettings } from './settings.ts';
import { advance, EMPTY_TALLY, NO_ACTIVITY, type CreamState } from './state.ts';
import { chooseTeacher } from './teacher.ts';

/** The algorithm of the paper, with the defects of its released code mended. */
export const cream: AlgorithmDefinition<CreamState> = {
  paper: 'Peng et al., "Cream of the Crop" (NeurIPS 2020)',
  metrics: CREAM_METRICS,
  configKeys: [
    'metaLr',
    'boardSize',
    'probeImages',
    'metaImages',
    'metaInterval',
    'warmupEpochs',
    'accGap',
  ],
  selection: 'board',
  create: (setting) => createCream(setting, creamSettings(setting)),
};

function createCream(setting: Setting, settings: CreamSettings): Algorithm<CreamState> {
  const { space, schedule, macsOf } = setting;
  const { boardSize, probeImages, seed, meta, board } = settings;
  const inputs = probeImages * space.classes;
  return {
    settings: {
      metaLr: meta.lr,
      metaInterval: meta.interval,
      metaImages: meta.images,
      probeImages,
      warmupEpochs: board.warmupEpochs,
    },
    savedNumbers: 2 * inputs + boardSize * (probeImages * 3 * space.imageSize ** 2 + inputs),
    initialState: () => ({
      meta: createMetaNetwork(inputs, seed),
      board: emptyBoard(boardSize),
      activity: NO_ACTIVITY,
      tally: EMPTY_TALLY,
    }),
    step: (state, work) => trainStep(state, work, { settings, macsOf }),
    candidates: (state) => state.board.entries.map(({ path }) => path),
    metrics: creamMetrics,
    endEpoch: (state) => ({ ...state, tally: EMPTY_TALLY }),
    save: (state) => saveCream(state, space),
    restore: (saved) => restoreCream(saved, space, probeImages),
    describe: (state, ranking) => describeCream(state, ranking, { seed, schedule }),
  };
}

/** One iteration. */
function trainStep(
  state: CreamState,
  { step, epoch, batch, heldOut, learner }: StepWork,
  { settings, macsOf }: { settings: CreamSettings; macsOf: Setting['macsOf'] },
): ReturnType<Algorithm<CreamState>['step']> {
  const { supernet, lr } = learner;
  const { board } = state;
  const rng = createRng({ seed: settings.seed, stream: 'path', step });
  const path = samplePath(supernet.space, settings.sampling, rng);

  let { meta } = state;
  const matches = matchesOf(supernet, board, path);
  let teacher = chooseTeacher(meta, matches, path);
  if (teacher !== null && step % settings.meta.interval === 0) {
    const training = sliceBatch(batch, 0, settings.meta.images);
    const validation = heldOut.meta(state.activity.metaSteps, settings.meta.images);
    const pair = { student: path, teacher, board, training, validation };
    const { labelSmoothing } = settings;
    meta = metaStep(supernet, meta, pair, { xi: lr, metaLr: settings.meta.lr, labelSmoothing });
    teacher = chooseTeacher(meta, matches, path);
  }

  const lossOf = studentLoss(supernet, batch, teacher, settings.labelSmoothing);
  const trained = learner.gradientsOf(path, batch, lossOf);
  const { loss, outputs } = trained;
  const isFinite = learner.update([trained]);
  if (!isFinite) return { next: null, loss, paths: [path], images: batch.count };

  const { logits, probabilities, kd } = outputs as Record<
    'logits' | 'probabilities',
    Float32Array
  > &
    Partial<Record<'kd', Float32Array>>;
  const accuracy = accuracyOf(logits, batch.labels);
  const applicant = { path, macs: macsOf(path), step, batch, accuracy, probabilities };
  const office = { learner, settings, epoch, miniSet: heldOut.board };
  const admission = admit(state, applicant, office);
  const taught = teacher && { kd: kd?.[0] ?? NaN, rho: teacher.rho };
  const next = advance(state, { epoch, meta, ...admission, taught });
  return { next, loss, paths: [path], images: batch.count };
}
