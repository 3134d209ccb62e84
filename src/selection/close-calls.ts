import type { Score } from '../algorithms/algorithm.ts';
import type { Path } from '../searchspace/space.ts';
import type { Occasion, Scorer } from './scorer.ts';
import { isWithinNoise } from './verdict.ts';

/** Paths behind the answer that are looked at. */
export const LOOKED_AT = 10;

/** Scored paths that are as good as the answer, as far as the images tell. */
export interface CloseCalls {
  /** Of the very same score: the answer is the cheapest of them. */
  readonly ties: readonly Path[];
  /** Of the next best {@link LOOKED_AT}, those less than one standard error away; best first. */
  readonly withinNoise: readonly Path[];
}

/** Looks for paths that the ranking images do not tell from the answer, image by image. */
export async function closeCalls(
  [answer, ...others]: readonly [Score, ...Score[]],
  scorer: Pick<Scorer, 'answers' | 'compareNumbers' | 'numbersOf'>,
  occasion: Occasion,
): Promise<CloseCalls> {
  const ties = others.filter((other) => scorer.compareNumbers(answer, other) === 0);
  const own = scorer.numbersOf(await scorer.answers(answer.path, occasion));
  const withinNoise: Path[] = [];
  for (const { path } of others.slice(0, LOOKED_AT)) {
    const its = scorer.numbersOf(await scorer.answers(path, occasion));
    if (isWithinNoise(own, its)) withinNoise.push(path);
  }
  return { ties: ties.map(({ path }) => path), withinNoise };
}
