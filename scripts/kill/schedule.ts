/** When a search is killed: a pure function of the seed and of what an undisturbed run recorded. */
import { createRng, type Rng } from '../../src/foundation/rng.ts';

/** A checkpoint of the undisturbed run, seen from outside. */
export interface Mark {
  readonly step: number;
  /** Milliseconds after the start of the process. */
  readonly ms: number;
}

/** How long an undisturbed run took, and when it saved. */
export interface Timeline {
  /** Oldest first. */
  readonly marks: readonly Mark[];
  readonly totalMs: number;
  /** How long it took about until the first step. */
  readonly startUpMs: number;
}

/** One kill. */
export interface Kill {
  /** `moment`: any time of the search; `save`: while a file is being written; `start-up`: at once. */
  readonly kind: 'moment' | 'save' | 'start-up';
  /** The search must have recorded this step before; null: nothing. */
  readonly afterStep: number | null;
  /** Milliseconds: after the step was recorded, the save began, or the process started. */
  readonly delayMs: number;
}

/** What decides the kills. */
export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** A process lives at least so many milliseconds. */
  readonly minimumMs: number;
}

/** In this order, over and over. */
const KINDS = ['moment', 'save', 'moment', 'save', 'start-up'] as const;

/** Kills fall into this first part of the run, so that the end is not reached before the last. */
const KILLED_PART = 0.9;

/** A save takes milliseconds: a kill comes within this time after it began. */
const SAVE_MS = 12;

/**
 * Spreads kills over the whole search: the k-th falls into the k-th slice of the undisturbed run.
 *
 * Each waits for a recorded step, and recorded steps survive a kill: the search gets to its end.
 */
export function planKills({ kills, seed, minimumMs }: KillPlan, timeline: Timeline): Kill[] {
  return Array.from({ length: kills }, (_, index) => {
    const rng = createRng({ seed, stream: 'kill', step: index });
    const at = (KILLED_PART * timeline.totalMs * (index + rng.uniform())) / kills;
    const kind = KINDS[index % KINDS.length]!;
    if (kind === 'start-up') {
      const delayMs = Math.max(minimumMs, rng.uniform() * timeline.startUpMs);
      return { kind, afterStep: null, delayMs };
    }
    return kind === 'save' ? duringSave(at, timeline, rng) : atMoment(at, timeline);
  });
}

function atMoment(at: number, { marks, startUpMs }: Timeline): Kill {
  const before = marks.findLast(({ ms }) => ms <= at);
  // Nothing recorded yet: the moment counts from the start of the process.
  if (before === undefined) return { kind: 'moment', afterStep: null, delayMs: at };
  return { kind: 'moment', afterStep: before.step, delayMs: Math.min(at - before.ms, at - startUpMs) };
}

/** The last save of the run is spared: none comes after it. */
function duringSave(at: number, { marks }: Timeline, rng: Rng): Kill {
  const before = marks.slice(0, -2).findLast(({ ms }) => ms <= at);
  return { kind: 'save', afterStep: before?.step ?? null, delayMs: rng.uniform() * SAVE_MS };
}
