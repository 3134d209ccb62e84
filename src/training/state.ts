import type { Metrics } from '../foundation/metrics.ts';
import type { Score } from '../algorithms/algorithm.ts';
import type { Supernet } from '../supernet/supernet.ts';
import { afterStep, STABLE, type Stability } from './stability.ts';

/** Sums of an epoch's steps so far. */
export interface Tally {
  /** Those that were not skipped. */
  readonly steps: number;
  readonly loss: number;
  /** Images that were trained on, once for each path. */
  readonly images: number;
  /** Time that the steps took, milliseconds. */
  readonly ms: number;
}

/** Milliseconds that the run's steps have taken. */
export interface TimeSpent {
  /** Training steps, everything in them included. */
  readonly trainingMs: number;
  /** Held-out measurements within steps: part of the training time. */
  readonly evaluationMs: number;
  /** Waits for data: part of the training time. */
  readonly dataWaitMs: number;
}

/**
 * Everything that the rest of a search depends on. Random numbers and batches are functions of the
 * seed and the counters in here, so that there is no other state.
 */
export interface SearchState<Own = unknown> {
  /** Global steps done. */
  readonly step: number;
  /** Owns the weights, optimizer slots and running statistics, which steps change. */
  readonly supernet: Supernet;
  /** The algorithm's part. */
  readonly own: Own;
  readonly stability: Stability;
  readonly tally: Tally;
  readonly time: TimeSpent;
  /** Metrics of the epochs that are done, in order. */
  readonly reports: readonly Metrics[];
  /** What the last report ranked, best first; empty before the first. */
  readonly ranking: readonly Score[];
}

/** Sums over no step. */
const EMPTY_TALLY: Tally = { steps: 0, loss: 0, images: 0, ms: 0 };

/** State before the first step. */
export function initialState<Own>(supernet: Supernet, own: Own): SearchState<Own> {
  return {
    step: 0,
    supernet,
    own,
    stability: STABLE,
    tally: EMPTY_TALLY,
    time: { trainingMs: 0, evaluationMs: 0, dataWaitMs: 0 },
    reports: [],
    ranking: [],
  };
}

/** What one step leaves behind beside the algorithm's state. */
export interface StepRecord {
  readonly loss: number;
  readonly images: number;
  /** All of the step's time. */
  readonly trainingMs: number;
  readonly evaluationMs: number;
  readonly dataWaitMs: number;
}

/** The state after a step. */
export function afterTraining<Own>(
  state: SearchState<Own>,
  own: Own,
  { loss, images, ...spent }: StepRecord,
): SearchState<Own> {
  const { tally, time } = state;
  return {
    ...state,
    step: state.step + 1,
    own,
    stability: afterStep(state.stability, true),
    tally: {
      steps: tally.steps + 1,
      loss: tally.loss + loss,
      images: tally.images + images,
      ms: tally.ms + spent.trainingMs,
    },
    time: {
      trainingMs: time.trainingMs + spent.trainingMs,
      evaluationMs: time.evaluationMs + spent.evaluationMs,
      dataWaitMs: time.dataWaitMs + spent.dataWaitMs,
    },
  };
}

/** The state after a step that changed nothing, because a number in it was not finite. */
export function afterSkipping<Own>(state: SearchState<Own>): SearchState<Own> {
  return { ...state, step: state.step + 1, stability: afterStep(state.stability, false) };
}

/** The state after the report of an epoch. */
export function afterReport<Own>(
  state: SearchState<Own>,
  { own, ranking, metrics }: { own: Own; ranking: readonly Score[]; metrics: Metrics },
): SearchState<Own> {
  return { ...state, own, tally: EMPTY_TALLY, ranking, reports: [...state.reports, metrics] };
}
