/**
 * A search's state as plain data and back: the one place that knows all its parts. What is not
 * listed here is a function of the seed and of the counters that are.
 */

import type { Engine } from '../engine/engine.ts';
import type { Tensor } from '../engine/ops.ts';
import { TrialError } from '../foundation/errors.ts';
import type { BoardEntry } from '../search/board.ts';
import type { Supernet } from '../supernet/supernet.ts';
import type { SearchState } from './state.ts';

/** Numbers of one tensor, row by row. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** The parts of a state that are few numbers: plain JSON. */
export interface SnapshotValues extends Omit<SearchState, 'supernet' | 'meta' | 'board'> {
  readonly meta: { readonly bias: number; readonly biasVelocity: number };
  readonly board: {
    readonly capacity: number;
    readonly entries: readonly Omit<BoardEntry, 'probe'>[];
  };
}

/** A whole state that no later step can change. */
export interface Snapshot {
  readonly values: SnapshotValues;
  /** Names begin with `weight/`, `velocity/`, `running/`, `meta/` or `board/`. */
  readonly arrays: readonly NamedArray[];
}

/** Copies a state; waits for the device. */
export function takeSnapshot({ supernet, meta, board, ...values }: SearchState): Snapshot {
  return {
    values: {
      ...values,
      meta: { bias: meta.bias, biasVelocity: meta.velocity.bias },
      board: {
        capacity: board.capacity,
        entries: board.entries.map(({ probe: _, ...entry }) => entry),
      },
    },
    arrays: [
      ...supernetArrays(supernet),
      { name: 'meta/weight', shape: [meta.weight.length], values: meta.weight },
      { name: 'meta/velocity', shape: [meta.weight.length], values: meta.velocity.weight },
      ...board.entries.flatMap(({ probe }, i) => {
        const { imageSize: size, classes } = supernet.space;
        const count = probe.probabilities.length / classes;
        const { images, probabilities } = probe;
        return [
          { name: `board/${i}/images`, shape: [count, size, size, 3], values: images },
          { name: `board/${i}/probabilities`, shape: [count, classes], values: probabilities },
        ];
      }),
    ],
  };
}

function supernetArrays({ engine, parameters, running }: Supernet): NamedArray[] {
  const arrayOf = (name: string, tensor: Tensor): NamedArray => ({
    name,
    shape: tensor.shape,
    values: engine.read(tensor),
  });
  return [
    ...parameters.map(({ name, value }) => arrayOf(`weight/${name}`, value)),
    ...parameters.flatMap(({ name, velocity }) =>
      velocity === null ? [] : [arrayOf(`velocity/${name}`, velocity)],
    ),
    ...running
      .entries()
      .flatMap(([name, { mean, variance }]) => [
        arrayOf(`running/${name}/mean`, mean),
        arrayOf(`running/${name}/variance`, variance),
      ]),
  ];
}

/**
 * Makes a snapshot the state of a supernet of the same space, in place of the one it had.
 *
 * @throws TrialError CHECKPOINT_INVALID, the supernet being unchanged, when an array is missing,
 *   has another shape, or belongs to nothing.
 */
export function restoreSnapshot(snapshot: Snapshot, supernet: Supernet): SearchState {
  const { meta, board, ...values } = snapshot.values;
  const arrays = new ArrayStock(snapshot.arrays);
  const { imageSize: size, classes } = supernet.space;
  const entries = board.entries.map((entry, i) => ({
    ...entry,
    probe: {
      images: arrays.float32(`board/${i}/images`, [null, size, size, 3]),
      probabilities: arrays.float32(`board/${i}/probabilities`, [null, classes]),
    },
  }));
  const weight = arrays.float64('meta/weight');
  const velocity = { weight: arrays.float64('meta/velocity'), bias: meta.biasVelocity };
  const restoreTensors = tensorsFor(supernet, arrays);
  arrays.requireEmpty();
  restoreTensors();
  return {
    ...values,
    supernet,
    meta: { weight, bias: meta.bias, velocity },
    board: { capacity: board.capacity, entries },
  };
}

/** Takes a supernet's numbers out of the stock; gives the function that puts them into place. */
function tensorsFor(supernet: Supernet, arrays: ArrayStock): () => void {
  const { engine, parameters, running } = supernet;
  const weights = parameters.map(({ name, shape }) => arrays.float32(`weight/${name}`, shape));
  const velocities = parameters.map(({ name, shape }) =>
    arrays.has(`velocity/${name}`) ? arrays.float32(`velocity/${name}`, shape) : null,
  );
  const moments = arrays.namesBetween('running/', '/mean').map((name) => {
    const mean = arrays.float32(`running/${name}/mean`, [null]);
    const variance = arrays.float32(`running/${name}/variance`, [mean.length]);
    return { name, mean, variance };
  });
  return () => {
    parameters.forEach((parameter, i) => {
      const { value, velocity, shape } = parameter;
      engine.dispose(velocity === null ? [value] : [value, velocity]);
      parameter.value = keptTensor(engine, weights[i] as Float32Array, shape);
      const slot = velocities[i];
      parameter.velocity = slot ? keptTensor(engine, slot, shape) : null;
    });
    running.dispose();
    for (const { name, mean, variance } of moments) {
      const shape = [mean.length];
      running.replace(name, {
        mean: engine.tensor(mean, shape),
        variance: engine.tensor(variance, shape),
      });
    }
  };
}

function keptTensor(engine: Engine, values: Float32Array, shape: readonly number[]): Tensor {
  return engine.keep(engine.tensor(values, shape));
}

/** Arrays by name, each to be taken once. */
class ArrayStock {
  readonly #arrays: Map<string, NamedArray>;

  constructor(arrays: readonly NamedArray[]) {
    this.#arrays = new Map(arrays.map((array) => [array.name, array]));
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  /** The middles of all names that begin and end so. */
  namesBetween(prefix: string, suffix: string): string[] {
    return [...this.#arrays.keys()]
      .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
      .map((name) => name.slice(prefix.length, -suffix.length));
  }

  /** @param shape - null for a length that may be any. */
  float32(name: string, shape: readonly (number | null)[]): Float32Array {
    const array = this.#take(name);
    const fits =
      array.values instanceof Float32Array &&
      array.shape.length === shape.length &&
      shape.every((length, i) => length === null || length === array.shape[i]);
    if (!fits) throw invalid(name, `float32 [${shape.map((n) => n ?? 'any').join()}]`, array.shape);
    return array.values;
  }

  float64(name: string): Float64Array {
    const { values, shape } = this.#take(name);
    if (!(values instanceof Float64Array)) throw invalid(name, 'float64 numbers', shape);
    return values;
  }

  requireEmpty(): void {
    const [left] = this.#arrays.values();
    if (left !== undefined) throw invalid(left.name, 'nothing of that name', left.shape);
  }

  #take(name: string): NamedArray {
    const array = this.#arrays.get(name);
    if (array === undefined) throw invalid(name, 'an array of that name', null);
    this.#arrays.delete(name);
    return array;
  }
}

function invalid(name: string, wanted: string, shape: readonly number[] | null): TrialError {
  return new TrialError('CHECKPOINT_INVALID', {
    where: name,
    wanted,
    found: shape === null ? 'none' : `[${shape.join()}]`,
    next: 'The checkpoint is of another network: search with the skeleton and the space that it was made for.',
  });
}
