import type { Engine } from '../engine/engine.ts';
import type { Moments } from '../engine/ops.ts';

/**
 * Moments of every batch norm that has been met, by name: the supernet's running statistics, or
 * one path's, recalibrated. Owns its tensors.
 */
export class Statistics {
  readonly #engine: Engine;
  readonly #moments = new Map<string, Moments>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Moments of one batch norm; mean 0 and variance 1 until it has been met. */
  of(name: string, channels: number): Moments {
    const known = this.#moments.get(name);
    if (known !== undefined) return known;
    const constant = (value: number) =>
      this.#engine.keep(this.#engine.tensor(new Float32Array(channels).fill(value), [channels]));
    const initial = { mean: constant(0), variance: constant(1) };
    this.#moments.set(name, initial);
    return initial;
  }

  /** Takes over new moments and disposes of the ones they replace. */
  replace(name: string, { mean, variance }: Moments): void {
    const old = this.#moments.get(name);
    this.#moments.set(name, {
      mean: this.#engine.keep(mean),
      variance: this.#engine.keep(variance),
    });
    if (old !== undefined) this.#engine.dispose([old.mean, old.variance]);
  }

  /** Every batch norm's moments by name, sorted. */
  entries(): [string, Moments][] {
    return [...this.#moments].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  dispose(): void {
    for (const { mean, variance } of this.#moments.values()) {
      this.#engine.dispose([mean, variance]);
    }
    this.#moments.clear();
  }
}
