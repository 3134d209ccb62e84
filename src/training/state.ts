import { emptyBoard, type Board } from '../search/board.ts';
import {
  createMetaNetwork,
  type MetaNetwork,
  type MetaParameters,
} from '../search/meta-network.ts';
import type { Supernet } from '../supernet/supernet.ts';
import type { SearchPlan } from './plan.ts';

/** Evidence that the algorithm was at work. */
export interface Activity {
  /** Steps at which a path was measured on the mini-set. */
  readonly measurements: number;
  /** Measurements that put a path on the board. */
  readonly admissions: number;
  /** Epoch of the first admission; null until then. */
  readonly boardOpenedAtEpoch: number | null;
  readonly metaSteps: number;
  /** Meta parameters at the start, to tell how far they have moved. */
  readonly initialPhi: MetaParameters;
  readonly distilledSteps: number;
  /** Sum over the distilled steps. */
  readonly rhoSum: number;
  readonly rhoMin: number;
  readonly rhoMax: number;
}

/** Sums of an epoch's steps, and where its time went. */
export interface Tally {
  readonly steps: number;
  readonly loss: number;
  readonly distilled: number;
  readonly kd: number;
  readonly rho: number;
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

/** Everything that the rest of a search depends on. */
export interface SearchState {
  /** Global steps done. */
  readonly step: number;
  /** Owns the weights, optimizer slots and running statistics, which steps change. */
  readonly supernet: Supernet;
  readonly meta: MetaNetwork;
  readonly board: Board;
  readonly activity: Activity;
  readonly tally: Tally;
  readonly time: TimeSpent;
}

/** Sums over no step. */
export const EMPTY_TALLY: Tally = { steps: 0, loss: 0, distilled: 0, kd: 0, rho: 0 };

/** State before the first step: a function of the seed alone. */
export function initialState(supernet: Supernet, plan: SearchPlan): SearchState {
  const meta = createMetaNetwork(plan.probeImages * supernet.space.classes, plan.seed);
  return {
    step: 0,
    supernet,
    meta,
    board: emptyBoard(plan.boardSize),
    activity: {
      measurements: 0,
      admissions: 0,
      boardOpenedAtEpoch: null,
      metaSteps: 0,
      initialPhi: { weight: meta.weight, bias: meta.bias },
      distilledSteps: 0,
      rhoSum: 0,
      rhoMin: 1,
      rhoMax: 0,
    },
    tally: EMPTY_TALLY,
    time: { trainingMs: 0, admissionMs: 0, dataWaitMs: 0 },
  };
}

/** One part of the state by name: numbers in an array, or a plain JSON value. */
export type StateItem = readonly [name: string, value: Float32Array | Float64Array | object];

/** Lists the whole state, in a fixed order; waits for the device. Times spent are not part of it. */
export function listState({
  step,
  supernet,
  meta,
  board,
  activity,
  tally,
}: SearchState): StateItem[] {
  const { engine } = supernet;
  const parameters = supernet.parameters.flatMap(({ name, value, velocity }): StateItem[] => [
    [`weight/${name}`, engine.read(value)],
    ...(velocity === null ? [] : [[`velocity/${name}`, engine.read(velocity)] as const]),
  ]);
  const running = supernet.running.entries().flatMap(([name, moments]): StateItem[] => [
    [`running/${name}/mean`, engine.read(moments.mean)],
    [`running/${name}/variance`, engine.read(moments.variance)],
  ]);
  const rows = board.entries.flatMap(({ probe, ...row }, i): StateItem[] => [
    [`board/${i}`, row],
    [`board/${i}/images`, probe.images],
    [`board/${i}/probabilities`, probe.probabilities],
  ]);
  return [
    ['progress', { step, boardSize: board.capacity, activity, tally }],
    ...parameters,
    ...running,
    ['meta/weight', meta.weight],
    ['meta/velocity', meta.velocity.weight],
    ['meta/bias', { value: meta.bias, velocity: meta.velocity.bias }],
    ...rows,
  ];
}
