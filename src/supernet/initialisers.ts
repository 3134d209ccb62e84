import type { Rng } from '../foundation/rng.ts';

/** Distribution of a parameter's initial values. */
export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'uniform'; readonly bound: number };

/** Draws `count` initial values. */
export function initialValues(initialiser: Initialiser, count: number, rng: Rng): Float32Array {
  const values = new Float32Array(count);
  switch (initialiser.kind) {
    case 'constant':
      return values.fill(initialiser.value);
    case 'normal':
      return values.map(() => initialiser.deviation * rng.normal());
    case 'uniform':
      return values.map(() => initialiser.bound * (2 * rng.uniform() - 1));
  }
}
