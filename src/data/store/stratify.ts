import { createRng } from '../../foundation/rng.ts';

/**
 * Orders all images so that every run of neighbours holds the classes in proportion.
 *
 * Within a class the order is random; image i of n of its class stands at (i + 1/2) / n.
 *
 * @param labels - `int32 [count]`, class indices.
 * @returns `int32 [count]`, a permutation of the images, the same for the same (labels, seed).
 */
export function stratifiedOrder(labels: Int32Array, seed: number): Int32Array<ArrayBuffer> {
  const members = new Map<number, number[]>();
  labels.forEach((label, index) => {
    const known = members.get(label);
    if (known) {
      known.push(index);
    } else {
      members.set(label, [index]);
    }
  });
  const places: { readonly index: number; readonly place: number }[] = [];
  for (const [label, indices] of [...members].sort(([a], [b]) => a - b)) {
    const shuffled = createRng({ seed, stream: 'stratify', step: label }).permutation(
      indices.length,
    );
    shuffled.forEach((member, rank) => {
      places.push({ index: indices[member] ?? 0, place: (rank + 0.5) / indices.length });
    });
  }
  // The sort is stable, so that equal places keep the order of the classes.
  return Int32Array.from(
    places.sort((a, b) => a.place - b.place),
    ({ index }) => index,
  );
}
