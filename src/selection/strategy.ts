/** What the ways to pick an answer have in common. */

import type { Score } from '../algorithms/algorithm.ts';
import type { TrialConfigFile } from '../generated/trial-config.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';

/** The strategies by name. */
export type Strategy = NonNullable<TrialConfigFile['selection']['strategy']>;

/** What a selection picks from. */
export interface SelectionContext {
  readonly space: SearchSpace;
  readonly sampling: SamplerOptions;
  readonly seed: number;
  readonly settings: Readonly<TrialConfigFile['selection']>;
  /** Paths that the algorithm thinks well of; random ones where it thinks of none. */
  readonly candidates: readonly Path[];
  /** Scores paths and sorts them, best first. */
  readonly rank: (paths: readonly Path[]) => Promise<Score[]>;
  /** What paths are ordered by, as a loss: less is better. */
  readonly lossOf: (score: Score) => number;
  /** Which of two scores is the better one: negative for the first. */
  readonly compare: (a: Score, b: Score) => number;
}

/** Picks: every path that was scored, best first. The first one is the answer. */
export type Selection = (context: SelectionContext) => Promise<readonly Score[]>;
