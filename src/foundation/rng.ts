/**
 * Counter-based random numbers: every draw is a pure function of (seed, stream, step, index), so
 * that a resumed run continues with the very same numbers and a new consumer shifts no other one.
 *
 * @see Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): Philox4x32-10.
 */

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const WORDS_PER_BLOCK = 4;
const UINT32_RANGE = 2 ** 32;

type Block = readonly [number, number, number, number];

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** One Philox4x32-10 block: four unsigned 32-bit words from a 128-bit counter and a 64-bit key. */
export function philox4x32(counter: Block, key: readonly [number, number]): Block {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a hash of a stream name, so that streams are named rather than numbered. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}

/** A sequence of random numbers that belongs to one (seed, stream, step). */
export interface Rng {
  /** Next unsigned 32-bit integer. */
  uint32(): number;
  /** Next number, uniform in [0, 1), with 32 random bits. */
  uniform(): number;
  /** Next integer, uniform in [0, bound). */
  below(bound: number): number;
  /** Next standard normal number. */
  normal(): number;
  /** The integers 0…count-1 in random order. */
  permutation(count: number): Int32Array<ArrayBuffer>;
}

/** Names the draws: which run, which consumer, at which step. */
export interface RngKey {
  /** Non-negative integer. */
  readonly seed: number;
  /** Name of the consumer, such as `path` or `augment`. */
  readonly stream: string;
  /** Counter of the consumer's own choosing; 0 where there is only one. */
  readonly step: number;
  /** Position within the step, such as the image in its batch; 0 where there is only one. */
  readonly index?: number;
}

/** Opens the sequence of (seed, stream, step, index) at its start. */
export function createRng({ seed, stream, step, index = 0 }: RngKey): Rng {
  const key = [seed >>> 0, (hashName(stream) ^ Math.floor(seed / UINT32_RANGE)) >>> 0] as const;
  let block: Block = [0, 0, 0, 0];
  let drawn = 0;

  const uint32 = (): number => {
    const word = drawn % WORDS_PER_BLOCK;
    if (word === 0) {
      const position = Math.floor(drawn / WORDS_PER_BLOCK);
      block = philox4x32(
        [position >>> 0, index >>> 0, step >>> 0, Math.floor(step / UINT32_RANGE)],
        key,
      );
    }
    drawn++;
    return block[word as 0 | 1 | 2 | 3];
  };
  const uniform = (): number => uint32() / UINT32_RANGE;
  const below = (bound: number): number => Math.floor(uniform() * bound);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const permutation = (count: number): Int32Array<ArrayBuffer> => {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let last = count - 1; last > 0; last--) {
      const other = below(last + 1);
      [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
    }
    return order;
  };
  return { uint32, uniform, below, normal, permutation };
}

/**
 * Draws an index by relative probabilities, with one number of the sequence.
 *
 * @param weights - None negative, one above 0.
 */
export function drawIndex(weights: readonly number[], rng: Rng): number {
  let rest = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  const index = weights.findIndex((weight) => (rest -= weight) < 0);
  // Rounding can leave a rest of zero: the last one that can be drawn takes it.
  return index === -1 ? weights.findLastIndex((weight) => weight > 0) : index;
}
