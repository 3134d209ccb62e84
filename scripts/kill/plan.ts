/** When a campaign kills: a function of its seed. */

import { createRng } from '../../src/foundation/rng.ts';

/** What a kill waits for: progress, then a save; or just time, which can hit a start-up. */
export type KillTarget = 'progress' | 'save' | 'time';

/** One kill that is to come; all numbers are uniform in [0, 1). */
export interface PlannedKill {
  readonly target: KillTarget;
  /** Share of the search's steps that a checkpoint has to hold before, unless only time counts. */
  readonly progress: number;
  /** Share that a new checkpoint may hold at most: then it is time, whatever the delay. */
  readonly latest: number;
  /** Share of the longest delay after that. */
  readonly delay: number;
}

/**
 * Plans kills so that the search comes to its end: each waits for a point of its own slice of the
 * steps, but for every sixth, which may hit a process that has done nothing yet. Every third waits
 * for a save.
 */
export function planKills(count: number, seed: number): PlannedKill[] {
  const rng = createRng({ seed, stream: 'kill', step: 0 });
  return Array.from({ length: count }, (_, index) => {
    const target = index % 3 === 1 ? 'save' : index % 6 === 0 ? 'time' : 'progress';
    const progress = (index + rng.uniform()) / count;
    return { target, progress, latest: (index + 1) / count, delay: rng.uniform() };
  });
}
