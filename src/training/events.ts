import type { Metrics } from '../foundation/metrics.ts';
import type { TrainingPlan } from './plan.ts';
import type { SearchState } from './state.ts';

/** What happens in a task, in order; every sink (NNI, history, terminal, memory watch) gets all of it. */
export type TaskEvent =
  | {
      readonly kind: 'started';
      readonly plan: TrainingPlan;
      /** Steps that are done already. */
      readonly step: number;
    }
  | { readonly kind: 'step'; readonly state: SearchState }
  | {
      readonly kind: 'epoch';
      /** From 0. */
      readonly epoch: number;
      readonly metrics: Metrics;
      /** What the algorithm tells of it in one line; empty if nothing, or if it is repeated. */
      readonly note: string;
      /** Whether it was reported by an earlier process, or before the search went back. */
      readonly isRepeated: boolean;
    }
  | { readonly kind: 'answer'; readonly metrics: Metrics }
  | { readonly kind: 'stopped' };

/** Takes an event; resolves when it is safe, not when it has arrived. */
export type Emit = (event: TaskEvent) => Promise<void> | void;

/** Gives every event to all sinks, one after the other. */
export function emitToAll(...sinks: readonly Emit[]): Emit {
  return async (event) => {
    for (const sink of sinks) await sink(event);
  };
}
