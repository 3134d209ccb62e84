import type { Board } from './board.ts';
import type { MetaNetwork } from './meta-network.ts';

/** Evidence that the algorithm is at work. */
export interface Activity {
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

/** What the algorithm remembers from step to step. */
export interface OfficialState {
  readonly meta: MetaNetwork;
  readonly board: Board;
  readonly activity: Activity;
  readonly tally: Tally;
}

/** Sums over no step. */
export const EMPTY_TALLY: Tally = { distilled: 0, kd: 0, rho: 0 };

/** Nothing done. */
export const NO_ACTIVITY: Activity = {
  admissions: 0,
  boardOpenedAtEpoch: null,
  metaSteps: 0,
  distilledSteps: 0,
  rhoSum: 0,
  rhoMin: 1,
  rhoMax: 0,
};

/** What one step did. */
export interface StepRecord {
  readonly epoch: number;
  readonly meta: MetaNetwork;
  readonly board: Board;
  readonly isMetaStep: boolean;
  /** Distillation loss and rho; null where nobody taught. */
  readonly taught: { readonly kd: number; readonly rho: number } | null;
}

/** The state after a step. */
export function advance(
  { activity, tally, board: before }: OfficialState,
  record: StepRecord,
): OfficialState {
  const { epoch, meta, board, isMetaStep, taught } = record;
  const isAdmitted = board !== before;
  const counted = {
    ...activity,
    admissions: activity.admissions + Number(isAdmitted),
    boardOpenedAtEpoch: activity.boardOpenedAtEpoch ?? (isAdmitted ? epoch : null),
    metaSteps: activity.metaSteps + Number(isMetaStep),
  };
  if (taught === null) return { meta, board, activity: counted, tally };
  const { kd, rho } = taught;
  return {
    meta,
    board,
    activity: {
      ...counted,
      distilledSteps: activity.distilledSteps + 1,
      rhoSum: activity.rhoSum + rho,
      rhoMin: Math.min(activity.rhoMin, rho),
      rhoMax: Math.max(activity.rhoMax, rho),
    },
    tally: { distilled: tally.distilled + 1, kd: tally.kd + kd, rho: tally.rho + rho },
  };
}
