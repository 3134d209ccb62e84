/** What the answer is worth, on images that had no part in choosing it. */

import type { Score } from '../algorithms/algorithm.ts';
import type { Path } from '../searchspace/space.ts';
import { drawPaths } from '../selection/draws.ts';
import {
  answersOf,
  scoreOf,
  scorePath,
  type Answers,
  type ScoringData,
} from '../selection/score.ts';
import { judge, type Verdict } from '../selection/verdict.ts';
import type { TaskHost } from './task.ts';
import { pauseFor, type Workspace } from './workspace.ts';

/** The answer beside random paths on the same images. */
export interface Confirmation {
  /** Number of images that chose nothing; 0 in a small set, where those that chose are taken. */
  readonly images: number;
  readonly answer: Score;
  /** Scores of random paths of the budget. */
  readonly random: readonly Score[];
  /** Null without random paths. */
  readonly verdict: Verdict | null;
}

/** The workspace, and the weights that paths are scored with. */
type Parts = Pick<Workspace, 'config' | 'space' | 'sampling' | 'images' | 'supernet'> &
  Pick<ScoringData, 'weightOf'>;

/** Measures the answer and random paths on the images that confirm, each path once. */
export async function confirmAnswer(
  path: Path,
  { config, space, sampling, images, supernet, weightOf }: Parts,
  host: Pick<TaskHost, 'shutdown'>,
): Promise<Confirmation> {
  const { heldOut, confirmation, split } = images;
  const count = split.confirmation.length;
  const data = {
    calibration: heldOut.calibration,
    images: count > 0 ? confirmation : heldOut.ranking,
    ...(weightOf && { weightOf }),
    pause: () => pauseFor(host),
  };
  const own = await answersOf(supernet, path, data);
  const draw = { sampling, seed: config.seed, stream: 'baseline' };
  const paths = drawPaths(space, draw, config.baselinePaths);
  const others: Answers[] = [];
  for (const each of paths) others.push(await answersOf(supernet, each, data));
  return {
    images: count,
    answer: scoreOf(path, own),
    random: others.map((answers, i) => scoreOf(paths[i] ?? [], answers)),
    verdict: verdictOf(own, others, count),
  };
}

/** What the images say; nothing where they chose the answer themselves. */
function verdictOf(own: Answers, others: readonly Answers[], images: number): Verdict | null {
  if (others.length === 0) return null;
  const verdict = judge(
    own.hits,
    others.map(({ hits }) => hits),
  );
  return images > 0 ? verdict : { ...verdict, betterThanRandom: 'too-few-images' };
}

/** Accuracy of the answer on the test part; null where there is none. */
export async function testAnswer(
  path: Path,
  { images, supernet, weightOf }: Pick<Parts, 'images' | 'supernet' | 'weightOf'>,
  host: Pick<TaskHost, 'shutdown'>,
): Promise<number | null> {
  if (images.test === null) return null;
  const { calibration } = images.heldOut;
  const data = {
    calibration,
    images: images.test,
    ...(weightOf && { weightOf }),
    pause: () => pauseFor(host),
  };
  const { accuracy } = await scorePath(supernet, path, data);
  return accuracy;
}
