/**
 * Cream of the Crop on one screen: train one sampled path after the other, let the best-matching
 * path of the board teach it, let the meta network learn who matches whom, keep the crop.
 *
 * @see Peng et al., "Cream of the Crop: Distilling Prioritized Paths For One-Shot Neural
 * Architecture Search" (NeurIPS 2020); `docs/fidelity.md` lists where we differ from its code.
 */

import { createRng } from '../foundation/rng.ts';
import { samplePath } from '../search/sampler.ts';
import { chooseTeacher, type Teacher } from '../search/teacher.ts';
import type { Path } from '../searchspace/space.ts';
import type { Supernet } from '../supernet/supernet.ts';
import { admit } from './admission.ts';
import { metaStep } from './meta-step.ts';
import type { SearchPlan } from './plan.ts';
import type { Batch, Clock, HeldOut, Reporter, TrainingBatches } from './ports.ts';
import { matchesOf } from './probes.ts';
import { advance } from './progress.ts';
import { rankPaths, type RankedPath } from './ranking.ts';
import { firstBatches, metricsOf, pathsToRank } from './report.ts';
import { learningRate } from './schedule.ts';
import { EMPTY_TALLY, initialState, type SearchState } from './state.ts';
import { predict, trainStudent, type Lesson } from './student.ts';

/** What a search works on and reports to. */
export interface SearchContext {
  readonly plan: SearchPlan;
  readonly batches: TrainingBatches;
  readonly heldOut: HeldOut;
  readonly reporter: Reporter;
  readonly macsOf: (path: Path) => number;
  readonly clock: Clock;
  /** Lets the process serve signals and connections; throws when the search must end. */
  readonly pause: () => Promise<void>;
  readonly onStep: (state: SearchState) => void;
}

/** A finished search. */
export interface SearchOutcome {
  readonly state: SearchState;
  /** The board, measured anew at the end, best first: the first path is the answer. */
  readonly ranking: readonly RankedPath[];
}

/** Trains the supernet and ranks its board. The caller owns the supernet. */
export async function search(supernet: Supernet, context: SearchContext): Promise<SearchOutcome> {
  const { plan, reporter, onStep, pause } = context;
  let state = initialState(supernet, plan);
  for (let epoch = 0; ; epoch++) {
    const { trainingMs } = state.time;
    for (let i = 0; i < plan.stepsPerEpoch; i++) {
      state = await searchStep(state, context, epoch);
      onStep(state);
      await pause();
    }
    const isLast = epoch === plan.epochs - 1;
    const ranking = await rank(state, context, { epoch, isLast });
    const epochMs = state.time.trainingMs - trainingMs;
    const metrics = metricsOf(state, ranking, { ...context, trainingMs: epochMs });
    await reporter.intermediate(metrics);
    if (isLast) {
      await reporter.final(metrics);
      return { state, ranking };
    }
    state = { ...state, tally: EMPTY_TALLY };
  }
}

/** One iteration of Cream. */
async function searchStep(
  state: SearchState,
  { plan, batches, heldOut, macsOf, clock }: SearchContext,
  epoch: number,
): Promise<SearchState> {
  const { supernet, board, step } = state;
  const started = clock();
  const rng = createRng({ seed: plan.seed, stream: 'path', step });
  const path = samplePath(supernet.space, { ...plan, macsOf }, rng);
  const batch = await batches.next(step);
  const lr = learningRate(plan.lr, step, plan.totalSteps);

  let { meta } = state;
  const matches = matchesOf(supernet, board, path);
  let teacher = chooseTeacher(meta, matches, path);
  if (teacher !== null && step % plan.metaInterval === 0) {
    const training = firstImages(batch, plan.metaImages);
    const validation = heldOut.meta(state.activity.metaSteps);
    const pair = { student: path, teacher, board, training, validation };
    meta = metaStep(supernet, meta, pair, { ...plan, xi: lr });
    teacher = chooseTeacher(meta, matches, path);
  }

  const lesson = teacher === null ? null : teach(supernet, teacher, batch);
  const result = trainStudent(supernet, { path, batch, lesson }, { ...plan, lr });

  const trained = clock();
  const applicant = { path, macs: macsOf(path), step, batch, result };
  const admission = admit(supernet, state, applicant, { plan, epoch, miniSet: heldOut.board });
  const ended = clock();
  return advance(state, {
    epoch,
    meta,
    lesson,
    result,
    admission,
    stepMs: ended - started,
    admissionMs: ended - trained,
    dataWaitMs: batches.waitedMs,
  });
}

/** The teacher's softmax on the batch, without gradient and normalised by the batch. */
function teach(supernet: Supernet, { entry, rho }: Teacher, { images }: Batch): Lesson {
  return { rho, probabilities: predict(supernet, images, entry.path) };
}

function firstImages(batch: Batch, count: number): Batch {
  const imageLength = batch.images.length / batch.count;
  return {
    count,
    images: batch.images.subarray(0, count * imageLength),
    labels: batch.labels.subarray(0, count),
  };
}

/** Accuracy of the board's paths on the ranking part; the last epoch's uses all of it. */
function rank(
  state: SearchState,
  context: SearchContext,
  { epoch, isLast }: { epoch: number; isLast: boolean },
): Promise<RankedPath[]> {
  const { plan, heldOut, pause } = context;
  return rankPaths(state.supernet, pathsToRank(state, context, epoch), {
    calibration: heldOut.calibration,
    images: () => firstBatches(heldOut.ranking, isLast ? Infinity : plan.rankingImages),
    pause,
  });
}
