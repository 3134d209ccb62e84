import type { MetaNetwork } from '../search/meta-network.ts';
import type { Admission } from './admission.ts';
import type { Activity, SearchState, Tally } from './state.ts';
import type { Lesson, StudentResult } from './student.ts';

/** What one step leaves behind. */
export interface StepRecord {
  readonly epoch: number;
  readonly meta: MetaNetwork;
  readonly lesson: Lesson | null;
  readonly result: StudentResult;
  readonly admission: Admission;
  readonly stepMs: number;
  readonly admissionMs: number;
  /** Total of the run so far. */
  readonly dataWaitMs: number;
}

/** The state after one step. */
export function advance(state: SearchState, record: StepRecord): SearchState {
  const { time } = state;
  return {
    ...state,
    step: state.step + 1,
    meta: record.meta,
    board: record.admission.board,
    activity: updateActivity(state, record),
    tally: updateTally(state.tally, record),
    time: {
      ...time,
      trainingMs: time.trainingMs + record.stepMs,
      admissionMs: time.admissionMs + record.admissionMs,
      dataWaitMs: record.dataWaitMs,
    },
  };
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

function updateTally(tally: Tally, { lesson, result }: StepRecord): Tally {
  return {
    steps: tally.steps + 1,
    loss: tally.loss + result.loss,
    distilled: tally.distilled + Number(lesson !== null),
    kd: tally.kd + (result.kd ?? 0),
    rho: tally.rho + (lesson?.rho ?? 0),
  };
}
