/** Statistics of paired lists, with ties, and how sure they are. */
import type { Rng } from './rng.ts';

/**
 * A statistic of a sample in which element `i` counts `weights[i]` times: once each for the sample
 * itself, as often as it was drawn for a resample.
 */
export type WeightedStatistic = (weights: Int32Array) => number;

/** Lower and upper end. */
export type Interval = readonly [number, number];

/** Arithmetic mean; NaN of no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation of a sample, with n - 1; NaN of fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Standard error of the mean; 0 of a single value, whose spread is not known. */
export function standardError(values: readonly number[]): number {
  return values.length === 1 ? 0 : standardDeviation(values) / Math.sqrt(values.length);
}

function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}

/** The place of each value among the different values, from 0 on; equal values share theirs. */
interface Ranks {
  readonly of: Int32Array;
  /** Number of different values. */
  readonly count: number;
}

function ranksOf(values: readonly number[]): Ranks {
  const distinct = [...new Set(values.map((value) => value + 0))].sort(compare);
  const places = new Map(distinct.map((value, place) => [value, place]));
  const ranks = values.map((value) => places.get(value + 0) ?? 0);
  return { of: Int32Array.from(ranks), count: distinct.length };
}

function checkPaired(x: readonly number[], y: readonly number[]): void {
  if (x.length !== y.length) throw new RangeError(`${x.length} values against ${y.length}`);
  if (x.some(Number.isNaN) || y.some(Number.isNaN)) throw new RangeError('NaN has no rank');
}

/** How much weight lies on each rank. */
function weightByRank({ of, count }: Ranks, weights: Int32Array): Float64Array {
  const sums = new Float64Array(count);
  for (let i = 0; i < of.length; i++) {
    const rank = of[i] as number;
    sums[rank] = (sums[rank] as number) + (weights[i] as number);
  }
  return sums;
}

function pairs(count: number): number {
  return (count * (count - 1)) / 2;
}

function tiedPairs(ranks: Ranks, weights: Int32Array): number {
  return weightByRank(ranks, weights).reduce((sum, weight) => sum + pairs(weight), 0);
}

/** Adds a weight at a rank of a Fenwick tree of sums. */
function addAt(tree: Float64Array, rank: number, weight: number): void {
  for (let node = rank + 1; node < tree.length; node += node & -node) {
    tree[node] = (tree[node] as number) + weight;
  }
}

/** Sum of the weights at all ranks up to and with this one. */
function sumUpTo(tree: Float64Array, rank: number): number {
  let sum = 0;
  for (let node = rank + 1; node > 0; node -= node & -node) sum += tree[node] as number;
  return sum;
}

/** Pairs whose order in `y` is the opposite of the one in `x`; `order` sorts by x, then by y. */
function discordantPairs(order: Int32Array, y: Ranks, weights: Int32Array): number {
  const tree = new Float64Array(y.count + 1);
  let seen = 0;
  let discordant = 0;
  for (const i of order) {
    const weight = weights[i] as number;
    const rank = y.of[i] as number;
    discordant += weight * (seen - sumUpTo(tree, rank));
    addAt(tree, rank, weight);
    seen += weight;
  }
  return discordant;
}

/**
 * Kendall's tau-b of weighted pairs: concordant less discordant pairs, over the geometric mean of
 * the pairs that are not tied in `x` and not tied in `y`. O(n log n) for each set of weights.
 *
 * @returns The statistic; NaN where one of the lists is constant.
 * @throws RangeError when the lists differ in length or hold a NaN.
 * @see Knight, "A computer method for calculating Kendall's tau with ungrouped data" (1966).
 */
export function weightedKendallTau(x: readonly number[], y: readonly number[]): WeightedStatistic {
  checkPaired(x, y);
  const [xRanks, yRanks] = [ranksOf(x), ranksOf(y)];
  const places = x.map(
    (_, i) => (xRanks.of[i] as number) * yRanks.count + (yRanks.of[i] as number),
  );
  const joint = ranksOf(places);
  const order = Int32Array.from(places.keys()).sort((a, b) =>
    compare(joint.of[a] as number, joint.of[b] as number),
  );
  return (weights) => {
    const all = pairs(weights.reduce((sum, weight) => sum + weight, 0));
    const [xTies, yTies] = [tiedPairs(xRanks, weights), tiedPairs(yRanks, weights)];
    const discordant = discordantPairs(order, yRanks, weights);
    const concordant = all - xTies - yTies + tiedPairs(joint, weights) - discordant;
    return (concordant - discordant) / Math.sqrt((all - xTies) * (all - yTies));
  };
}

/** The average place of each rank's elements among all elements, from 1 on. */
function averagePlaces(ranks: Ranks, weights: Int32Array): Float64Array {
  let before = 0;
  return weightByRank(ranks, weights).map((weight) => {
    const place = before + (weight + 1) / 2;
    before += weight;
    return place;
  });
}

/**
 * Spearman's correlation of weighted pairs: Pearson's of the ranks, tied values sharing the average
 * of theirs.
 *
 * @returns The statistic; NaN where one of the lists is constant.
 * @throws RangeError when the lists differ in length or hold a NaN.
 */
export function weightedSpearman(x: readonly number[], y: readonly number[]): WeightedStatistic {
  checkPaired(x, y);
  const [xRanks, yRanks] = [ranksOf(x), ranksOf(y)];
  return (weights) => {
    const [xPlaces, yPlaces] = [averagePlaces(xRanks, weights), averagePlaces(yRanks, weights)];
    const centre = (weights.reduce((sum, weight) => sum + weight, 0) + 1) / 2;
    let [xx, yy, xy] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const weight = weights[i] as number;
      const dx = (xPlaces[xRanks.of[i] as number] as number) - centre;
      const dy = (yPlaces[yRanks.of[i] as number] as number) - centre;
      xx += weight * dx * dx;
      yy += weight * dy * dy;
      xy += weight * dx * dy;
    }
    return xy / Math.sqrt(xx * yy);
  };
}

/** Each element once: the weights of the sample itself. */
export function unitWeights(count: number): Int32Array {
  return new Int32Array(count).fill(1);
}

/** Kendall's tau-b; see {@link weightedKendallTau}. */
export function kendallTau(x: readonly number[], y: readonly number[]): number {
  return weightedKendallTau(x, y)(unitWeights(x.length));
}

/** Spearman's rank correlation; see {@link weightedSpearman}. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  return weightedSpearman(x, y)(unitWeights(x.length));
}

/** Quantile of sorted values, with a straight line between two of them. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return below + (at - Math.floor(at)) * (above - below);
}

function resample(count: number, rng: Rng): Int32Array {
  const weights = new Int32Array(count);
  for (let draw = 0; draw < count; draw++) {
    const i = rng.below(count);
    weights[i] = (weights[i] as number) + 1;
  }
  return weights;
}

/**
 * The 95 % percentile intervals of several statistics of one sample, all over the same resamples.
 * A resample in which a statistic is NaN does not count for it.
 *
 * @param count - Elements of the sample.
 * @returns One interval a statistic; NaN at both ends where every resample gave NaN.
 * @see Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
 */
export function bootstrapIntervals(
  statistics: readonly WeightedStatistic[],
  count: number,
  { rng, resamples }: { readonly rng: Rng; readonly resamples: number },
): readonly Interval[] {
  const draws = statistics.map(() => new Float64Array(resamples));
  for (let draw = 0; draw < resamples; draw++) {
    const weights = resample(count, rng);
    for (const [i, statistic] of statistics.entries()) {
      (draws[i] as Float64Array)[draw] = statistic(weights);
    }
  }
  return draws.map((values) => {
    const sorted = values.filter((value) => !Number.isNaN(value)).sort();
    return [quantile(sorted, 0.025), quantile(sorted, 0.975)];
  });
}

/** Probability of each element to be one of the `k` largest, ties being broken at random. */
function chancesOfTop(values: readonly number[], k: number): readonly number[] {
  const limit = values.toSorted((a, b) => compare(b, a))[k - 1] ?? NaN;
  const above = values.filter((value) => value > limit).length;
  const tied = values.filter((value) => value === limit).length;
  return values.map((value) => {
    if (value > limit) return 1;
    return value === limit ? (k - above) / tied : 0;
  });
}

/**
 * Share of the `k` largest elements of `x` that are among the `k` largest of `y`. Ties at the edge
 * count as if broken at random, in each list for itself, so that the order of the lists means
 * nothing.
 *
 * @param k - From 1 to the length of the lists.
 * @throws RangeError when the lists differ in length or hold a NaN, or `k` is out of range.
 */
export function topKOverlap(x: readonly number[], y: readonly number[], k: number): number {
  checkPaired(x, y);
  if (!(k >= 1 && k <= x.length)) throw new RangeError(`the ${k} largest of ${x.length}`);
  const [inX, inY] = [chancesOfTop(x, k), chancesOfTop(y, k)];
  return inX.reduce((sum, chance, i) => sum + chance * (inY[i] as number), 0) / k;
}
