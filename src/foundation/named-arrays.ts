import { TrialError } from './errors.ts';

/** Numbers of one tensor, row by row. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** Arrays by name; each is taken once. */
export class ArrayStock {
  readonly #arrays: Map<string, NamedArray>;

  constructor(arrays: readonly NamedArray[]) {
    this.#arrays = new Map(arrays.map((array) => [array.name, array]));
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  /** Takes all arrays with a prefix, and removes it from their names. */
  takePrefixed(prefix: string): NamedArray[] {
    const taken = [...this.#arrays.values()].filter(({ name }) => name.startsWith(prefix));
    for (const { name } of taken) this.#arrays.delete(name);
    return taken.map((array) => ({ ...array, name: array.name.slice(prefix.length) }));
  }

  /** @throws TrialError CHECKPOINT_INVALID when it is missing or has another type or shape. */
  float32(name: string, shape: readonly number[]): Float32Array {
    return this.#take(name, { type: Float32Array, shape });
  }

  /** @throws TrialError CHECKPOINT_INVALID when it is missing or has another type or shape. */
  float64(name: string, shape: readonly number[]): Float64Array {
    return this.#take(name, { type: Float64Array, shape });
  }

  /** @throws TrialError CHECKPOINT_INVALID when an array was not taken. */
  requireEmpty(): void {
    const [left] = this.#arrays.values();
    if (left === undefined) return;
    throw stateInvalid(left.name, 'nothing of that name', `[${left.shape.join()}]`);
  }

  #take<T extends NamedArray['values']>(
    name: string,
    { type, shape }: { type: new (length: number) => T; shape: readonly number[] },
  ): T {
    const array = this.#arrays.get(name);
    this.#arrays.delete(name);
    const fits = array?.shape.join() === shape.join();
    if (fits && array.values instanceof type) return array.values;
    const found = array && `${array.values.constructor.name} [${array.shape.join()}]`;
    throw stateInvalid(name, `${type.name} [${shape.join()}]`, found ?? 'none');
  }
}

/** The error for a saved state that is impossible in this search. */
export function stateInvalid(where: string, wanted: string, found: string): TrialError {
  return new TrialError('CHECKPOINT_INVALID', {
    where,
    wanted,
    found,
    next: 'The checkpoint is of another search: go on with the config, skeleton and space that it was made for.',
  });
}
