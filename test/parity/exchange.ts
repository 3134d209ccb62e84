/** What the two sides of a comparison exchange. */
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import type { NamedArray } from '../../src/foundation/named-arrays.ts';
import { createRng } from '../../src/foundation/rng.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';

/** Seed of the weights and of the images. */
export const SEED = 1;

/** Two paths of a skeleton that ships. */
export interface Network {
  readonly name: string;
  readonly student: Path;
  readonly teacher: Path;
}

/** One comparison: plain JSON, what PyTorch starts from, and what it has to find. */
export interface Comparison {
  readonly description: Readonly<Record<string, unknown>>;
  readonly inputs: readonly NamedArray[];
  readonly results: readonly NamedArray[];
}

/** An array of a batch's images. */
export function imagesArray(name: string, { count, images }: Batch): NamedArray {
  const size = Math.sqrt(images.length / count / 3);
  return { name, shape: [count, size, size, 3], values: images };
}

/** Normal images and uniform labels. */
export function randomBatch(space: SearchSpace, count: number, stream: string): Batch {
  const rng = createRng({ seed: SEED, stream, step: 0 });
  const labels = Int32Array.from({ length: count }, () => rng.below(space.classes));
  const images = new Float32Array(count * space.imageSize ** 2 * 3).map(() => rng.normal());
  return { count, images, labels };
}

/** Numbers of a tensor, copied. */
export function arrayOf(engine: Engine, name: string, tensor: Tensor): NamedArray {
  return { name, shape: tensor.shape, values: engine.read(tensor).slice() };
}

/** One number. */
export function numberArray(name: string, value: number): NamedArray {
  return { name, shape: [1], values: Float64Array.of(value) };
}

/** What an update added to a parameter, without rounding. */
export function changeArray(
  engine: Engine,
  name: string,
  { parameter, before }: { parameter: Parameter; before: Float32Array },
): NamedArray {
  const after = Float64Array.from(engine.read(parameter.value));
  return { name, shape: parameter.shape, values: after.map((value, i) => value - before[i]!) };
}
