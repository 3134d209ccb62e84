import type { Board } from './board.ts';
import type { MetaNetwork } from './meta-network.ts';

/** Evidence that Cream is at work. */
export interface Activity {
  /** Steps at which a path was measured on the mini-set. */
  readonly measurements: number;
  /** Measurements that put a path on the board. */
  readonly admissions: number;
  /** Epoch of the first admission; null until then. */
  readonly boardOpenedAtEpoch: number | null;
  readonly metaSteps: number;
  readonly distilledSteps: number;
  /** Sum over the distilled steps. */
  readonly rhoSum: number;
  readonly rhoMin: number;
  readonly rhoMax: number;
}

/** Sums over an epoch's distilled steps so far. */
export interface Tally {
  readonly distilled: number;
  readonly kd: number;
  readonly rho: number;
}

/** What Cream remembers from step to step. */
export interface CreamState {
  readonly meta: MetaNetwork;
  readonly board: Board;
  readonly activity: Activity;
  readonly tally: Tally;
}

/** Sums over no step. */
export const EMPTY_TALLY: Tally = { distilled: 0, kd: 0, rho: 0 };

/** Nothing done. */
export const NO_ACTIVITY: Activity = {
  measurements: 0,
  admissions: 0,
  boardOpenedAtEpoch: null,
  metaSteps: 0,
  distilledSteps: 0,
  rhoSum: 0,
  rhoMin: 1,
  rhoMax: 0,
};

/** What one step of Cream did. */
export interface StepRecord {
  readonly epoch: number;
  readonly meta: MetaNetwork;
  readonly board: Board;
  readonly measured: boolean;
  readonly admitted: boolean;
  /** Distillation loss and matching degree; null where nobody taught. */
  readonly taught: { readonly kd: number; readonly rho: number } | null;
}

/** The state after a step. */
export function advance(state: CreamState, record: StepRecord): CreamState {
  const { meta, board, taught } = record;
  const { tally } = state;
  return {
    meta,
    board,
    activity: updateActivity(state, record),
    tally: {
      distilled: tally.distilled + Number(taught !== null),
      kd: tally.kd + (taught?.kd ?? 0),
      rho: tally.rho + (taught?.rho ?? 0),
    },
  };
}

function updateActivity({ activity, meta }: CreamState, record: StepRecord): Activity {
  const { measured, admitted, taught, epoch } = record;
  const rho = taught?.rho ?? null;
  return {
    measurements: activity.measurements + Number(measured),
    admissions: activity.admissions + Number(admitted),
    boardOpenedAtEpoch: activity.boardOpenedAtEpoch ?? (admitted ? epoch : null),
    metaSteps: activity.metaSteps + Number(record.meta !== meta),
    distilledSteps: activity.distilledSteps + Number(rho !== null),
    rhoSum: activity.rhoSum + (rho ?? 0),
    rhoMin: Math.min(activity.rhoMin, rho ?? 1),
    rhoMax: Math.max(activity.rhoMax, rho ?? 0),
  };
}
