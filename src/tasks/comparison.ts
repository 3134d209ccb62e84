import type { Score } from '../algorithms/algorithm.ts';
import { drawPaths } from '../selection/draws.ts';
import type { SearchState } from '../training/state.ts';
import { weightsOf } from '../training/stability.ts';
import type { Session } from './session.ts';
import type { TaskHost } from './task.ts';
import { pauseFor } from './workspace.ts';

/** What the answer is compared with. */
export interface Comparison {
  /** Scores of random paths, best first. */
  readonly random: readonly Score[];
  /** Accuracy of the answer on the test part; null where there is none. */
  readonly testAccuracy: number | null;
}

/** Scores random paths, and the answer on the test part. */
export async function compareWithRandom(
  state: SearchState,
  [answer]: readonly [Score, ...Score[]],
  { workspace, scorer }: Session,
  host: TaskHost,
): Promise<Comparison> {
  const { config, space, sampling, images } = workspace;
  const pause = (): Promise<void> => pauseFor(host);
  const draw = { sampling, seed: config.seed, stream: 'baseline' };
  const paths = drawPaths(space, draw, config.baselinePaths);
  const occasion = { weights: weightsOf(state), images: Infinity, pause };
  const random = await scorer.rank(paths, occasion);
  if (images.test === null) return { random, testAccuracy: null };
  const { accuracy } = await scorer.measure(answer.path, { images: images.test, pause });
  return { random, testAccuracy: accuracy };
}
