import type { SearchResult } from '../generated/result.ts';
import { SURE } from '../selection/verdict.ts';

/** What a result needs for {@link verdictLine}. */
export type Judged = Pick<SearchResult, 'confirmation' | 'verdict' | 'baselines' | 'data'>;

/** The verdict of a search as one sentence for people; null where nothing was compared. */
export function verdictLine({ confirmation, verdict, baselines, data }: Judged): string | null {
  const { randomPaths } = baselines;
  if (verdict === null || randomPaths === null) return null;
  const { betterThanRandom, standardError, standardErrors, errorOfImages } = verdict;
  const answer = { yes: 'yes', no: 'no', 'too-few-images': 'too few images to tell' };
  const numbers = `${shown(confirmation.accuracy)} against ${shown(randomPaths.mean)}`;
  const known = `better than random: ${answer[betterThanRandom]}, ${numbers}`;
  if (confirmation.images === 0) {
    return `${known} on the ${data.rankingImages} images that chose it, and none are left to confirm it`;
  }
  const where = `on ${confirmation.images} images that chose nothing`;
  if (betterThanRandom === 'too-few-images') {
    return `${known} ${where}, which show no difference below ${shown(SURE * errorOfImages)}`;
  }
  const times = standardErrors === null ? 'no' : standardErrors.toFixed(1);
  const bar = betterThanRandom === 'no' ? `; it takes ${SURE}` : '';
  return `${known} ± ${shown(standardError)} ${where} (${times} standard errors${bar})`;
}

/** The ties and other close calls of a selection, a sentence each. */
export function closeCallLines({ ties, withinNoise }: SearchResult['selection']): string[] {
  const others = withinNoise.filter((path) => !ties.includes(path));
  return [
    ...(ties.length === 0 ? [] : [`of the same score, and not cheaper: ${ties.join(', ')}`]),
    ...(others.length === 0 ? [] : [`within one standard error: ${others.join(', ')}`]),
  ];
}

function shown(fraction: number): string {
  return fraction.toFixed(3);
}
