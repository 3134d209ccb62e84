/**
 * Counts of networks by cost, and draws out of them: how the sampler hits a narrow budget.
 *
 * A cost adds up over blocks, so dynamic programming over the blocks gives the weight of all networks
 * at each total, where a network weighs the product of its candidates' weights. A draw picks a total
 * inside the budget by its weight and walks back through the blocks: each network is drawn with its
 * weight over that of all networks inside, which is the distribution of independent draws given the
 * budget. Uniform weights make it uniform.
 *
 * Where the totals are too many, costs are rounded to multiples of a unit. The rounding errors of a
 * network lie between the sums of the blocks' least and largest errors, so that a range widened by
 * these covers all networks inside the budget. A draw out of the cover that is thrown away unless its
 * exact cost is inside has again just that distribution: within the cover, a network's probability is
 * still its weight over a constant.
 */

import { drawIndex, type Rng } from '../foundation/rng.ts';
import type { CostTable } from './cost-model.ts';
import type { Path } from './space.ts';

/** Allowed costs by one table, both ends included. */
export interface TableRange {
  readonly table: CostTable;
  readonly min: number;
  readonly max: number;
}

/** Relative probability of each candidate of each labelled block, none negative. */
export type Weights = readonly (readonly number[])[];

/** A cover of the networks inside a budget: all of them, and perhaps some just outside. */
export interface BudgetTable {
  /** Share of the weight of all networks that is in the cover. */
  readonly share: number;
  /** Whether the cover holds no network, and so the budget none. */
  readonly isEmpty: boolean;
  /** Whether the cover holds no network outside the budget. */
  readonly isExact: boolean;
  /** Draws a network of the cover by its weight; only where it holds one. */
  readonly draw: (rng: Rng) => Path;
}

/** Totals that are remembered, 16 bytes each, and additions: at most a second or two. */
const MAX_STATES = 1_500_000;
const MAX_ADDITIONS = 20_000_000;
/** Units from 2^17 widths of the range, one cell, down to 2^-40. */
const COARSEST = 17;
const FINEST = -40;
/** A narrower range is taken for this part of the spread when units are chosen. */
const NARROWEST = 2 ** -16;
/** Weights beyond 2^±400 are scaled back: there may be more networks than a number can hold. */
const SCALED_BEYOND = 400;

/** Counts the networks inside all ranges at once; null where their totals are too many. */
export function countedTable(ranges: readonly TableRange[], weights: Weights): BudgetTable | null {
  const axes = ranges.map((range) => axisOf(range, weights, stepOf(range, weights)));
  return axes.every(({ isExact }) => isExact) ? fill(axes, weights) : null;
}

/** Covers the networks inside all ranges by cells, small enough that many draws hit if they can be. */
export function coveringTable(ranges: readonly TableRange[], weights: Weights): BudgetTable {
  const reaches = ranges.map((range) => reachOf(range, weights));
  let best: Filled | null = null;
  for (let power = COARSEST; power >= FINEST; power--) {
    const axes = ranges.map((range, k) =>
      axisOf(range, weights, 2 ** (power + Math.floor(Math.log2(reaches[k] as number)))),
    );
    const table = fill(axes, weights);
    if (table === null) break;
    const growth = best === null ? 1 : table.states / best.states;
    best = table;
    const excess = sumOf(axes, ({ slack }, k) => slack / (reaches[k] as number));
    if (table.isEmpty || table.isExact || excess <= 1) break;
    if (growth * table.states > MAX_STATES) break;
  }
  // With one cell an axis there is one state a block, which never exceeds the limits.
  if (best === null) throw new RangeError(`${weights.length} blocks`);
  return best;
}

/** One cost in cells, whole multiples of a unit. */
interface Axis {
  /** Cells of each candidate of each block, above those of the block's cheapest. */
  readonly cells: readonly (readonly number[])[];
  /** Least and most cells of a network in the cover. */
  readonly first: number;
  readonly last: number;
  /** How much wider than the range the cover may be, in the cost's unit. */
  readonly slack: number;
  readonly isExact: boolean;
}

/** Costs of the candidates that can be drawn. */
function allowed(costs: readonly number[], weights: readonly number[] = []): readonly number[] {
  return costs.filter((_, candidate) => (weights[candidate] ?? 0) > 0);
}

function sumOf<T>(items: readonly T[], of: (item: T, index: number) => number): number {
  return items.reduce((sum, item, index) => sum + of(item, index), 0);
}

/** Width of a range within the space, or a small part of the spread of costs if that is more. */
function reachOf({ table: { fixed, choices }, min, max }: TableRange, weights: Weights): number {
  const low = sumOf(choices, (costs, i) => Math.min(...allowed(costs, weights[i]))) + fixed;
  const high = sumOf(choices, (costs, i) => Math.max(...allowed(costs, weights[i]))) + fixed;
  return Math.max(Math.min(max, high) - Math.max(min, low), NARROWEST * (high - low)) || 1;
}

/** The largest step of which all costs above the cheapest are multiples; 1 if not whole. */
function stepOf({ table }: TableRange, weights: Weights): number {
  const above = table.choices.flatMap((costs, i) => {
    const ofBlock = allowed(costs, weights[i]);
    const least = Math.min(...ofBlock);
    return ofBlock.map((cost) => cost - least);
  });
  return above.every(Number.isSafeInteger)
    ? above.reduce((a, b) => greatestCommonDivisor(a, b), 0) || 1
    : 1;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function axisOf({ table, min, max }: TableRange, weights: Weights, unit: number): Axis {
  const least = table.choices.map((costs, i) => Math.min(...allowed(costs, weights[i])));
  const base = sumOf(least, (cost) => cost) + table.fixed;
  const cells = table.choices.map((costs, i) =>
    costs.map((cost) => Math.round((cost - (least[i] as number)) / unit)),
  );
  const errors = table.choices.map((costs, i) => {
    const ofAll = costs.map((cost, c) => cost - (least[i] as number) - unit * (cells[i]?.[c] ?? 0));
    return allowed(ofAll, weights[i]);
  });
  const lowest = sumOf(errors, (ofBlock) => Math.min(...ofBlock));
  const highest = sumOf(errors, (ofBlock) => Math.max(...ofBlock));
  const most =
    base + unit * sumOf(cells, (ofBlock, i) => Math.max(...allowed(ofBlock, weights[i])));
  // Sums of whole multiples of the unit are exact; others are rounded, by far less than one cell.
  const isExact =
    errors.every((ofBlock) => ofBlock.every((error) => error === 0)) &&
    [base, most].every((cost) => Number.isSafeInteger(cost / Math.min(unit, 1)));
  const spare = isExact ? 0 : 1;
  return {
    cells,
    first: Math.ceil((min - base - highest) / unit) - spare,
    last: Math.floor((max - base - lowest) / unit) + spare,
    slack: highest - lowest + 2 * spare * unit,
    isExact,
  };
}

/** Cells of all axes in one whole number, which adds up over blocks as they do. */
interface Keys {
  /** Key of each candidate of each block. */
  readonly choices: readonly (readonly number[])[];
  /** Whether blocks after the first `count` can bring a key into all ranges. */
  readonly leadsInside: (count: number, key: number) => boolean;
}

/** Null if the cells are more than whole numbers. */
function keysOf(axes: readonly Axis[], weights: Weights): Keys | null {
  let stride = 1;
  const parts = axes.map(({ cells, first, last }) => {
    // Most cells that the blocks from each count on can add.
    const rest = [0];
    for (const [i, ofBlock] of [...cells.entries()].toReversed()) {
      rest.unshift((rest[0] as number) + Math.max(...allowed(ofBlock, weights[i])));
    }
    const size = (rest[0] as number) + 1;
    const part = { cells, first, last, stride, size, lows: rest.map((more) => first - more) };
    stride *= size;
    return part;
  });
  if (!Number.isSafeInteger(stride)) return null;
  const isPossible = parts.every(({ first, last }) => first <= last);
  return {
    choices: weights.map((ofBlock, i) =>
      ofBlock.map((_, c) => sumOf(parts, (part) => (part.cells[i]?.[c] ?? 0) * part.stride)),
    ),
    leadsInside: (count, key) => {
      if (!isPossible) return false;
      for (const { stride: step, size, lows, last } of parts) {
        const cells = Math.floor(key / step) % size;
        if (cells < (lows[count] as number) || cells > last) return false;
      }
      return true;
    },
  };
}

/** Candidates of a block with the same key. */
interface Move {
  readonly key: number;
  readonly candidates: readonly number[];
  readonly weights: readonly number[];
  /** Of all candidates together. */
  readonly weight: number;
}

function movesOf(keys: readonly number[], weights: readonly number[]): readonly Move[] {
  const candidates = keys.flatMap((_, c) => ((weights[c] ?? 0) > 0 ? [c] : []));
  const different = [...new Set(candidates.map((c) => keys[c] as number))];
  return different.map((key) => {
    const same = candidates.filter((c) => keys[c] === key);
    const ofSame = same.map((c) => weights[c] as number);
    return { key, candidates: same, weights: ofSame, weight: sumOf(ofSame, (weight) => weight) };
  });
}

/** Weight of all prefixes of one length at each key that can still end inside; keys grow. */
interface Level {
  readonly keys: Float64Array;
  readonly weights: Float64Array;
}

/** A table, and how much was counted for it. */
interface Filled extends BudgetTable {
  readonly states: number;
}

/** Counts by cells; null if that takes more than the limits. */
function fill(axes: readonly Axis[], weights: Weights): Filled | null {
  const keys = keysOf(axes, weights);
  if (keys === null) return null;
  const moves = weights.map((ofBlock, i) => movesOf(keys.choices[i] as readonly number[], ofBlock));
  const levels: Level[] = [{ keys: Float64Array.of(0), weights: Float64Array.of(1) }];
  let [states, additions, all] = [0, 0, 1];
  for (const [i, ofBlock] of moves.entries()) {
    const level = levels[i] as Level;
    additions += level.keys.length * ofBlock.length;
    if (additions > MAX_ADDITIONS) return null;
    const next = extend(level, ofBlock, (key) => keys.leadsInside(i + 1, key));
    states += next.keys.length;
    if (states > MAX_STATES) return null;
    all *= scaleBack(next.weights) * sumOf(ofBlock, ({ weight }) => weight);
    levels.push(next);
  }
  const inside = (levels.at(-1) as Level).weights.reduce((sum, weight) => sum + weight, 0);
  return {
    share: inside / all,
    isEmpty: inside === 0,
    isExact: axes.every(({ isExact }) => isExact),
    draw: drawer(levels, moves),
    states,
  };
}

/** The prefixes with one more block. */
function extend(
  level: Level,
  moves: readonly Move[],
  leadsInside: (key: number) => boolean,
): Level {
  let parts = moves.map((move) => moved(level, move, leadsInside));
  while (parts.length > 1) {
    const [pairs, all] = [Math.ceil(parts.length / 2), parts];
    parts = Array.from({ length: pairs }, (_, k) => {
      const other = all[2 * k + 1];
      return other ? merge(all[2 * k] as Level, other) : (all[2 * k] as Level);
    });
  }
  // Copies, which leave the room that merging needed.
  const { keys, weights } = parts[0] as Level;
  return { keys: keys.slice(), weights: weights.slice() };
}

/** The prefixes with one candidate more, of those that can still end inside. */
function moved(level: Level, move: Move, leadsInside: (key: number) => boolean): Level {
  const { length } = level.keys;
  const [keys, weights] = [new Float64Array(length), new Float64Array(length)];
  let count = 0;
  for (let from = 0; from < length; from++) {
    const key = (level.keys[from] as number) + move.key;
    if (!leadsInside(key)) continue;
    keys[count] = key;
    weights[count++] = (level.weights[from] as number) * move.weight;
  }
  return { keys: keys.subarray(0, count), weights: weights.subarray(0, count) };
}

/** Adds up weights at equal keys. */
function merge(a: Level, b: Level): Level {
  const most = a.keys.length + b.keys.length;
  const [keys, weights] = [new Float64Array(most), new Float64Array(most)];
  let [count, i, j] = [0, 0, 0];
  while (i < a.keys.length || j < b.keys.length) {
    const [fromA, fromB] = [a.keys[i] ?? Infinity, b.keys[j] ?? Infinity];
    let weight = 0;
    if (fromA <= fromB) weight += a.weights[i++] as number;
    if (fromB <= fromA) weight += b.weights[j++] as number;
    keys[count] = Math.min(fromA, fromB);
    weights[count++] = weight;
  }
  return { keys: keys.subarray(0, count), weights: weights.subarray(0, count) };
}

/** Scales weights that come near the ends of what a number can hold; returns the factor. */
function scaleBack(weights: Float64Array): number {
  const largest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const power = Math.floor(Math.log2(largest));
  if (largest === 0 || Math.abs(power) < SCALED_BEYOND) return 1;
  const factor = 2 ** -power;
  for (const [k, weight] of weights.entries()) weights[k] = weight * factor;
  return factor;
}

/** Draws a last key by its weight, then the blocks from the last to the first. */
function drawer(levels: readonly Level[], moves: readonly (readonly Move[])[]): (rng: Rng) => Path {
  const ends = levels.at(-1) as Level;
  let total = 0;
  const sums = ends.weights.map((weight) => (total += weight));
  return (rng) => {
    let key = ends.keys[countBelow(sums, (1 - rng.uniform()) * total)] as number;
    const path: number[] = [];
    for (const [i, ofBlock] of [...moves.entries()].toReversed()) {
      const before = levels[i] as Level;
      const weights = ofBlock.map((move) => move.weight * weightAt(before, key - move.key));
      const move = ofBlock[drawIndex(weights, rng)] as Move;
      const same = move.candidates.length === 1 ? 0 : drawIndex(move.weights, rng);
      path.push(move.candidates[same] as number);
      key -= move.key;
    }
    return path.reverse();
  };
}

function weightAt({ keys, weights }: Level, key: number): number {
  const place = countBelow(keys, key);
  return keys[place] === key ? (weights[place] as number) : 0;
}

/** How many of the numbers, which grow, are below a value. */
function countBelow(numbers: Float64Array, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
