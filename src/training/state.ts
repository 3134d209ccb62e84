import type { Board } from '../algorithms/cream/board.ts';
import { emptyBoard } from '../algorithms/cream/board.ts';
import { createMetaNetwork, type MetaNetwork } from '../algorithms/cream/meta-network.ts';
import type { Supernet } from '../supernet/supernet.ts';
import type { SearchPlan } from './plan.ts';
import type { SearchMetrics } from './ports.ts';
import type { RankedPath } from './ranking.ts';
import { STABLE, type Stability } from './stability.ts';

/** Evidence that the algorithm was at work. */
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

/** Sums of an epoch's steps so far. */
export interface Tally {
  readonly steps: number;
  readonly loss: number;
  readonly distilled: number;
  readonly kd: number;
  readonly rho: number;
  /** Time that the steps took, milliseconds. */
  readonly ms: number;
}

/** Milliseconds that the run's steps have taken. */
export interface TimeSpent {
  /** Training steps, everything in them included. */
  readonly trainingMs: number;
  /** Measurements for the board: part of the training time. */
  readonly admissionMs: number;
  /** Waits for data: part of the training time. */
  readonly dataWaitMs: number;
}

/**
 * Everything that the rest of a search depends on. Random numbers and batches are functions of the
 * seed and the counters in here, so that there is no other state.
 */
export interface SearchState {
  /** Global steps done. */
  readonly step: number;
  /** Owns the weights, optimizer slots and running statistics, which steps change. */
  readonly supernet: Supernet;
  readonly meta: MetaNetwork;
  readonly board: Board;
  readonly stability: Stability;
  readonly activity: Activity;
  readonly tally: Tally;
  readonly time: TimeSpent;
  /** Metrics of the epochs that are done, in order. */
  readonly reports: readonly SearchMetrics[];
  /** What the last report ranked, best first; empty before the first. */
  readonly ranking: readonly RankedPath[];
}

/** Sums over no step. */
export const EMPTY_TALLY: Tally = { steps: 0, loss: 0, distilled: 0, kd: 0, rho: 0, ms: 0 };

/** State before the first step: a function of the seed alone. */
export function initialState(supernet: Supernet, plan: SearchPlan): SearchState {
  return {
    step: 0,
    supernet,
    meta: createMetaNetwork(plan.probeImages * supernet.space.classes, plan.seed),
    board: emptyBoard(plan.boardSize),
    stability: STABLE,
    activity: {
      measurements: 0,
      admissions: 0,
      boardOpenedAtEpoch: null,
      metaSteps: 0,
      distilledSteps: 0,
      rhoSum: 0,
      rhoMin: 1,
      rhoMax: 0,
    },
    tally: EMPTY_TALLY,
    time: { trainingMs: 0, admissionMs: 0, dataWaitMs: 0 },
    reports: [],
    ranking: [],
  };
}
