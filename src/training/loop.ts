/**
 * Cream of the Crop on one screen: train one sampled path after the other, let the best-matching
 * path of the board teach it, let the meta network learn who matches whom, keep the crop.
 *
 * @see Peng et al., "Cream of the Crop: Distilling Prioritized Paths For One-Shot Neural
 * Architecture Search" (NeurIPS 2020); `docs/fidelity.md` lists where we differ from its code.
 */

import { createRng } from '../foundation/rng.ts';
import { samplePath } from '../searchspace/sampler.ts';
import { chooseTeacher, type Teacher } from '../algorithms/cream/teacher.ts';
import type { Path } from '../searchspace/space.ts';
import type { Supernet } from '../supernet/supernet.ts';
import { admit } from '../algorithms/cream/admission.ts';
import { metaStep } from '../algorithms/cream/meta-step.ts';
import { planBudget, type SearchPlan } from './plan.ts';
import type { Batch, Clock, HeldOut, Reporter, SearchMetrics, TrainingBatches } from './ports.ts';
import { matchesOf } from '../algorithms/cream/probes.ts';
import { advance, close, skip } from './progress.ts';
import { rankPaths, type RankedPath } from './ranking.ts';
import { firstBatches, metricsOf, pathsToRank } from './report.ts';
import { learningRate } from './schedule.ts';
import { diverged, isExhausted, rateScale, rolledBack } from './stability.ts';
import type { SearchState } from './state.ts';
import { predict, trainStudent, type Lesson } from './student.ts';

/** What a search works on and reports to. */
export interface SearchContext {
  readonly plan: SearchPlan;
  readonly batches: TrainingBatches;
  readonly heldOut: HeldOut;
  readonly reporter: Reporter;
  readonly macsOf: (path: Path) => number;
  /** Images of the data set that could not be used, for the metrics. */
  readonly skippedImages: number;
  readonly clock: Clock;
  /**
   * Called with the state between any two pieces of work: saves it when that is due, lets the process
   * serve signals and connections, and throws when the search must end.
   */
  readonly between: (state: SearchState) => Promise<void>;
  /** An earlier state, always the same one at the same step, in place of the supernet's. */
  readonly recall: () => Promise<SearchState>;
  readonly onStep: (state: SearchState) => void;
}

/** A finished search. */
export interface SearchOutcome {
  readonly state: SearchState;
  /** The board, measured anew at the end, best first: the first path is the answer. */
  readonly ranking: readonly RankedPath[];
}

/**
 * Trains the supernet and ranks its board, from any state on: the first one of a new search or a
 * restored one. The caller owns the supernet.
 */
export async function search(start: SearchState, context: SearchContext): Promise<SearchOutcome> {
  const { plan, reporter, between, onStep } = context;
  let state = start;
  await Promise.all(state.reports.map((metrics, epoch) => reporter.intermediate(metrics, epoch)));
  while (state.reports.length < plan.epochs) {
    const epoch = state.reports.length;
    const isTrained = state.step === (epoch + 1) * plan.stepsPerEpoch;
    state = await (isTrained ? reportEpoch : trainStep)(state, context, epoch);
    if (!isTrained) onStep(state);
    await between(state);
  }
  await reporter.final(state.reports.at(-1) as SearchMetrics);
  return { state, ranking: state.ranking };
}

/** One iteration of Cream. */
async function trainStep(
  state: SearchState,
  context: SearchContext,
  epoch: number,
): Promise<SearchState> {
  const { plan, batches, heldOut, macsOf, clock } = context;
  const { supernet, board, step } = state;
  const [started, waited] = [clock(), batches.waitedMs];
  const rng = createRng({ seed: plan.seed, stream: 'path', step });
  const budget = planBudget(plan, macsOf);
  const path = samplePath(supernet.space, { budget, prior: plan.prior }, rng);
  const batch = await batches.next(step);
  const lr = rateScale(state.stability) * learningRate(plan.lr, step, plan.totalSteps);

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
  if (result === null) return setBack(state, context, { path, lr });

  const trained = clock();
  const applicant = { path, macs: macsOf(path), step, batch, result };
  const admission = admit(supernet, state, applicant, { plan, epoch, miniSet: heldOut.board });
  const ended = clock();
  const time = {
    stepMs: ended - started,
    admissionMs: ended - trained,
    dataWaitMs: batches.waitedMs - waited,
  };
  return advance(state, { epoch, meta, lesson, result, admission, time });
}

/** Leaves a step out whose numbers were not finite; goes back once when there are too many. */
async function setBack(
  state: SearchState,
  { plan, recall }: SearchContext,
  at: { path: Path; lr: number },
): Promise<SearchState> {
  const skipped = skip(state);
  if (!isExhausted(skipped.stability, plan.totalSteps)) return skipped;
  if (skipped.stability.rollbacks > 0) throw diverged(skipped.stability, at);
  return { ...(await recall()), stability: rolledBack(skipped.stability) };
}

/** The end of an epoch: ranks the board and reports. */
async function reportEpoch(
  state: SearchState,
  context: SearchContext,
  epoch: number,
): Promise<SearchState> {
  const ranking = await rank(state, context, epoch);
  const metrics = metricsOf(state, ranking, context);
  await context.reporter.intermediate(metrics, epoch);
  return close(state, ranking, metrics);
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
  { plan, heldOut, macsOf, between }: SearchContext,
  epoch: number,
): Promise<RankedPath[]> {
  const images = epoch === plan.epochs - 1 ? Infinity : plan.rankingImages;
  return rankPaths(state.supernet, pathsToRank(state, { plan, macsOf }, epoch), {
    calibration: heldOut.calibration,
    images: () => firstBatches(heldOut.ranking, images),
    pause: () => between(state),
  });
}
