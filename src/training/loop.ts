/** Training on one screen: any algorithm, step by step, with a report at the end of each epoch. */

import type { Algorithm } from '../algorithms/algorithm.ts';
import type { HeldOut } from '../data/stream/held-out.ts';
import type { TrainingBatches } from '../data/stream/training-batches.ts';
import type { Clock } from '../foundation/clock.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { Path } from '../searchspace/space.ts';
import type { Scorer } from '../selection/scorer.ts';
import type { Emit } from './events.ts';
import { StepLearner } from './learner.ts';
import type { TrainingPlan } from './plan.ts';
import { metricsOf, pathsToRank } from './report.ts';
import { learningRate } from './schedule.ts';
import { diverged, isExhausted, rateScale, rolledBack, weightsOf } from './stability.ts';
import { afterReport, afterSkipping, afterTraining, type SearchState } from './state.ts';

/** What a training works on and reports to. */
export interface TrainingContext<Own> {
  readonly algorithm: Algorithm<Own>;
  readonly plan: TrainingPlan;
  readonly sampling: SamplerOptions;
  readonly images: TrainingImages;
  readonly scorer: Scorer;
  readonly keeper: Keeper<Own>;
  readonly emit: Emit;
  readonly clock: Clock;
}

/** The images of a training. */
export interface TrainingImages {
  readonly batches: TrainingBatches;
  readonly heldOut: HeldOut;
  /** Images of the data set that could not be used. */
  readonly skipped: number;
}

/** Keeps states for a later process, and for going back. */
export interface Keeper<Own> {
  /**
   * Called between any two pieces of work: saves the state when that is due, lets the process serve
   * signals and connections, and throws when the work must end.
   */
  checkpoint(state: SearchState<Own>): Promise<void>;
  /** An earlier state, always the same one at the same step, in place of the supernet's. */
  rollBack(): Promise<SearchState<Own>>;
}

/**
 * Trains a supernet from any state on: the first one of a new search or a restored one. The caller
 * owns the supernet.
 */
export async function train<Own>(
  start: SearchState<Own>,
  context: TrainingContext<Own>,
): Promise<SearchState<Own>> {
  const { plan, keeper, emit } = context;
  let state = start;
  for (const [epoch, metrics] of state.reports.entries()) {
    await emit({ kind: 'epoch', epoch, metrics, note: '', isRepeated: true });
  }
  while (state.reports.length < plan.epochs) {
    const epoch = state.reports.length;
    const isTrained = state.step === (epoch + 1) * plan.stepsPerEpoch;
    state = await (isTrained ? reportEpoch : trainStep)(state, context, epoch);
    await keeper.checkpoint(state);
  }
  return state;
}

/** One step of the algorithm on one batch. */
async function trainStep<Own>(
  state: SearchState<Own>,
  context: TrainingContext<Own>,
  epoch: number,
): Promise<SearchState<Own>> {
  const { algorithm, plan, images, emit, clock } = context;
  const { supernet, step } = state;
  const [started, waited] = [clock(), images.batches.waitedMs];
  const batch = await images.batches.next(step);
  const { clipNorm } = plan.optimizer;
  const lr = rateScale(state.stability) * learningRate(plan.rate.lr, step, plan.rate);
  const learner = new StepLearner({ supernet, optimizer: plan.optimizer, clipNorm, lr, clock });
  const work = { step, epoch, batch, heldOut: images.heldOut, learner };
  const { next, loss, paths, images: trainedImages } = algorithm.step(state.own, work);
  learner.dispose();
  if (next === null) return skipStep(state, context, { path: paths[0] ?? [], lr });

  const trained = afterTraining(state, next, {
    loss,
    images: trainedImages,
    trainingMs: clock() - started,
    evaluationMs: learner.evaluationMs,
    dataWaitMs: images.batches.waitedMs - waited,
  });
  await emit({ kind: 'step', state: trained });
  return trained;
}

/** Leaves a step out whose numbers were not finite; goes back once when there are too many. */
async function skipStep<Own>(
  state: SearchState<Own>,
  { plan, keeper }: TrainingContext<Own>,
  at: { path: Path; lr: number },
): Promise<SearchState<Own>> {
  const skipped = afterSkipping(state);
  if (!isExhausted(skipped.stability, plan.totalSteps)) return skipped;
  if (skipped.stability.rollbacks > 0) throw diverged(skipped.stability, at);
  return { ...(await keeper.rollBack()), stability: rolledBack(skipped.stability) };
}

/** The end of an epoch: ranks the candidates and reports. The last ranking uses all images. */
async function reportEpoch<Own>(
  state: SearchState<Own>,
  context: TrainingContext<Own>,
  epoch: number,
): Promise<SearchState<Own>> {
  const { algorithm, plan, sampling, images, scorer, keeper, emit } = context;
  const paths = pathsToRank(state, algorithm, { seed: plan.seed, sampling, epoch });
  const ranking = await scorer.rank(paths, {
    weights: weightsOf(state),
    images: epoch === plan.epochs - 1 ? Infinity : plan.rankingImages,
    pause: () => keeper.checkpoint(state),
  });
  const metrics = metricsOf(state, ranking, { plan, algorithm, skippedImages: images.skipped });
  const note = algorithm.tell(state.own, ranking);
  await emit({ kind: 'epoch', epoch, metrics, note, isRepeated: false });
  return afterReport(state, { own: algorithm.endEpoch(state.own), ranking, metrics });
}
