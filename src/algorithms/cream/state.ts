import { isSamePath } from '../../searchspace/path.ts';
import type { Path } from '../../searchspace/space.ts';
import type { Applicant, Outcome } from './admission.ts';
import type { Board } from './board.ts';
import type { MetaNetwork } from './meta-network.ts';

/** Evidence that Cream is at work. */
export interface Activity {
  /** Measurements of paths on the mini-set, those of the board's own paths included. */
  readonly measurements: number;
  /** Times that a path came onto the board. */
  readonly admissions: number;
  /** Epoch of the first admission; null until then. */
  readonly boardOpenedAtEpoch: number | null;
  readonly metaSteps: number;
  /** Trainings of a path by a teacher. */
  readonly lessons: number;
  /** Sum over the lessons. */
  readonly rhoSum: number;
  readonly rhoMin: number;
  readonly rhoMax: number;
}

/** What has happened in the epoch so far. */
export interface Tally {
  readonly lessons: number;
  /** Sums over the lessons. */
  readonly kd: number;
  readonly rho: number;
  readonly rhoSquare: number;
  readonly teachers: readonly { readonly path: Path; readonly lessons: number }[];
  /** Paths that came onto the board, and that left it. */
  readonly admitted: number;
  readonly left: number;
}

/** What Cream remembers from step to step. */
export interface CreamState {
  readonly meta: MetaNetwork;
  readonly board: Board;
  /** Paths that wait for the next round, best first. */
  readonly applicants: readonly Applicant[];
  readonly activity: Activity;
  readonly tally: Tally;
}

/** Nothing has happened. */
export const EMPTY_TALLY: Tally = {
  lessons: 0,
  kd: 0,
  rho: 0,
  rhoSquare: 0,
  teachers: [],
  admitted: 0,
  left: 0,
};

/** Nothing done. */
export const NO_ACTIVITY: Activity = {
  measurements: 0,
  admissions: 0,
  boardOpenedAtEpoch: null,
  metaSteps: 0,
  lessons: 0,
  rhoSum: 0,
  rhoMin: 1,
  rhoMax: 0,
};

/** A path's training by a teacher. */
export interface Lesson {
  readonly teacher: Path;
  /** Distillation loss, nats. */
  readonly kd: number;
  readonly rho: number;
}

/** What one step of Cream did. */
export interface StepRecord {
  readonly epoch: number;
  readonly meta: MetaNetwork;
  readonly applicants: readonly Applicant[];
  /** Null where no round was held. */
  readonly round: Outcome | null;
  readonly lessons: readonly Lesson[];
}

/** The state after a step. */
export function advance(state: CreamState, record: StepRecord): CreamState {
  const { meta, applicants, round, lessons } = record;
  const tally = lessons.reduce(withLesson, state.tally);
  return {
    meta,
    applicants,
    board: round?.board ?? state.board,
    activity: updateActivity(state, record),
    tally: {
      ...tally,
      admitted: tally.admitted + (round?.admitted.length ?? 0),
      left: tally.left + (round?.left.length ?? 0),
    },
  };
}

function withLesson(tally: Tally, { teacher, kd, rho }: Lesson): Tally {
  const known = tally.teachers.find(({ path }) => isSamePath(path, teacher));
  const others = tally.teachers.filter((each) => each !== known);
  return {
    ...tally,
    lessons: tally.lessons + 1,
    kd: tally.kd + kd,
    rho: tally.rho + rho,
    rhoSquare: tally.rhoSquare + rho * rho,
    teachers: [...others, { path: teacher, lessons: 1 + (known?.lessons ?? 0) }],
  };
}

function updateActivity({ activity, meta }: CreamState, record: StepRecord): Activity {
  const { round, lessons, epoch } = record;
  const rhos = lessons.map(({ rho }) => rho);
  const admitted = round?.admitted.length ?? 0;
  return {
    measurements: activity.measurements + (round?.measurements ?? 0),
    admissions: activity.admissions + admitted,
    boardOpenedAtEpoch: activity.boardOpenedAtEpoch ?? (admitted > 0 ? epoch : null),
    metaSteps: activity.metaSteps + Number(record.meta !== meta),
    lessons: activity.lessons + lessons.length,
    rhoSum: rhos.reduce((sum, rho) => sum + rho, activity.rhoSum),
    rhoMin: Math.min(activity.rhoMin, ...rhos),
    rhoMax: Math.max(activity.rhoMax, ...rhos),
  };
}
