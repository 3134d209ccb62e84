import { createRng } from '../foundation/rng.ts';
import {
  bootstrapIntervals,
  topKOverlap,
  unitWeights,
  weightedKendallTau,
  weightedSpearman,
  type Interval,
  type WeightedStatistic,
} from '../foundation/statistics.ts';
import type { Estimate, Net, Overlap, RankReport, Score, ScoreName } from '../generated/rank.ts';
import { fitMainEffects } from '../searchspace/main-effects.ts';
import { pathText } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { floorsOf } from './floors.ts';

/** A network with its true accuracy and what a supernet says of it. */
export interface ScoredNet {
  readonly path: Path;
  /** Fraction. */
  readonly trueAccuracy: number;
  /** Fraction. */
  readonly accuracy: number;
  /** Nats. */
  readonly crossEntropy: number;
}

/** What a report tells besides the networks. */
export interface RankStudy {
  /** The table's file and the number of different networks in it. */
  readonly table: RankReport['table'];
  readonly seed: number;
  /** Time that scoring took, in seconds. */
  readonly seconds: number;
  /** Resamples behind each interval; 1,000 where undefined. */
  readonly resamples?: number;
}

/** The scores of a report in its order, each so that more is better. */
const SCORES: readonly (readonly [ScoreName, (net: Net) => number])[] = [
  ['mainEffects', ({ mainEffects }) => -mainEffects],
  ['accuracy', ({ accuracy }) => accuracy],
  ['crossEntropy', ({ crossEntropy }) => -crossEntropy],
  ['macs', ({ macs }) => macs],
  ['params', ({ params }) => params],
  ['depth', ({ depth }) => depth],
  ['logDepth', ({ logDepth }) => logDepth],
];

function describeNets(space: SearchSpace, scored: readonly ScoredNet[]): Net[] {
  const floors = floorsOf(space);
  const { predict } = fitMainEffects(
    space,
    scored.map(({ path, crossEntropy }) => ({ path, value: crossEntropy })),
  );
  return scored
    .map(({ path, ...scores }) => {
      const mainEffects = predict(path);
      return { arch: pathText(space, path), ...scores, mainEffects, ...floors(path) };
    })
    .sort((a, b) => b.trueAccuracy - a.trueAccuracy);
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function estimate(statistic: WeightedStatistic, count: number, [low, high]: Interval): Estimate {
  const value = statistic(unitWeights(count));
  return { value: orNull(value), low: orNull(low), high: orNull(high) };
}

/** How many of the best are looked at: a tenth of the networks, and ten of them. */
function topSizes(count: number): readonly number[] {
  const sizes = new Set([Math.ceil(count / 10), 10].filter((k) => k < count));
  return [...sizes].sort((a, b) => a - b);
}

function overlaps(truth: readonly number[], values: readonly number[]): Overlap[] {
  const count = truth.length;
  return topSizes(count).map((k) => {
    return { k, overlap: topKOverlap(truth, values, k), chance: k / count };
  });
}

function describeScores(nets: readonly Net[], seed: number, resamples: number): Score[] {
  const count = nets.length;
  const truth = nets.map(({ trueAccuracy }) => trueAccuracy);
  const lists = SCORES.map(([, scoreOf]) => nets.map(scoreOf));
  const taus = lists.map((values) => weightedKendallTau(truth, values));
  const rhos = lists.map((values) => weightedSpearman(truth, values));
  const rng = createRng({ seed, stream: 'rank: bootstrap', step: 0 });
  const intervals = bootstrapIntervals([...taus, ...rhos], count, { rng, resamples });
  return SCORES.map(([name], i) => ({
    name,
    kendallTau: estimate(taus[i] as WeightedStatistic, count, intervals[i] as Interval),
    spearman: estimate(rhos[i] as WeightedStatistic, count, intervals[taus.length + i] as Interval),
    top: overlaps(truth, lists[i] as number[]),
  }));
}

/**
 * Compares the scores of a supernet, and the floors, with true accuracies. All intervals are over the
 * same resamples of the networks.
 *
 * @param scored - At least two networks, each once.
 * @throws RangeError when a score is NaN.
 */
export function rankReport(
  space: SearchSpace,
  scored: readonly ScoredNet[],
  { table, seed, seconds, resamples = 1000 }: RankStudy,
): RankReport {
  const nets = describeNets(space, scored);
  const scores = describeScores(nets, seed, resamples);
  return {
    format: 'nni-cream-rank/2',
    space: space.name,
    table: { ...table },
    seed,
    resamples,
    seconds,
    scores,
    nets,
  };
}
