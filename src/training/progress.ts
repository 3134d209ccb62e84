import type { MetaNetwork } from '../algorithms/cream/meta-network.ts';
import type { Admission } from '../algorithms/cream/admission.ts';
import type { SearchMetrics } from './ports.ts';
import type { RankedPath } from './ranking.ts';
import { afterStep } from './stability.ts';
import {
  EMPTY_TALLY,
  type Activity,
  type SearchState,
  type Tally,
  type TimeSpent,
} from './state.ts';
import type { Lesson, StudentResult } from './student.ts';

/** What one step leaves behind. */
export interface StepRecord {
  readonly epoch: number;
  readonly meta: MetaNetwork;
  readonly lesson: Lesson | null;
  readonly result: StudentResult;
  readonly admission: Admission;
  readonly time: StepTime;
}

/** Where the time of one step went, milliseconds. */
export interface StepTime {
  /** All of it. */
  readonly stepMs: number;
  readonly admissionMs: number;
  readonly dataWaitMs: number;
}

/** The state after one step. */
export function advance(state: SearchState, record: StepRecord): SearchState {
  return {
    ...state,
    step: state.step + 1,
    meta: record.meta,
    board: record.admission.board,
    stability: afterStep(state.stability, true),
    activity: updateActivity(state, record),
    tally: updateTally(state.tally, record),
    time: updateTime(state.time, record.time),
  };
}

/** The state after a step that changed nothing, because a number in it was not finite. */
export function skip(state: SearchState): SearchState {
  return { ...state, step: state.step + 1, stability: afterStep(state.stability, false) };
}

/** The state after the report of an epoch. */
export function close(
  state: SearchState,
  ranking: readonly RankedPath[],
  metrics: SearchMetrics,
): SearchState {
  return { ...state, tally: EMPTY_TALLY, ranking, reports: [...state.reports, metrics] };
}

function updateActivity({ activity, meta }: SearchState, record: StepRecord): Activity {
  const { admission, lesson, epoch } = record;
  const rho = lesson?.rho ?? null;
  return {
    ...activity,
    measurements: activity.measurements + Number(admission.measured),
    admissions: activity.admissions + Number(admission.admitted),
    boardOpenedAtEpoch: activity.boardOpenedAtEpoch ?? (admission.admitted ? epoch : null),
    metaSteps: activity.metaSteps + Number(record.meta !== meta),
    distilledSteps: activity.distilledSteps + Number(rho !== null),
    rhoSum: activity.rhoSum + (rho ?? 0),
    rhoMin: Math.min(activity.rhoMin, rho ?? 1),
    rhoMax: Math.max(activity.rhoMax, rho ?? 0),
  };
}

function updateTally(tally: Tally, { lesson, result, time }: StepRecord): Tally {
  return {
    steps: tally.steps + 1,
    loss: tally.loss + result.loss,
    distilled: tally.distilled + Number(lesson !== null),
    kd: tally.kd + (result.kd ?? 0),
    rho: tally.rho + (lesson?.rho ?? 0),
    ms: tally.ms + time.stepMs,
  };
}

function updateTime(time: TimeSpent, { stepMs, admissionMs, dataWaitMs }: StepTime): TimeSpent {
  return {
    trainingMs: time.trainingMs + stepMs,
    admissionMs: time.admissionMs + admissionMs,
    dataWaitMs: time.dataWaitMs + dataWaitMs,
  };
}
