import type { Engine } from '../engine/engine.ts';
import type { Moments } from '../engine/ops.ts';

/**
 * Moments of every batch norm that has been met, by name: the supernet's running statistics, or
 * one path's, recalibrated. Owns its tensors.
 */
export class Statistics {
  protected readonly engine: Engine;
  protected readonly moments: Map<string, Moments> = new Map<string, Moments>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** A draft of these statistics; commit it or dispose of it. */
  draft(): StatisticsDraft {
    return new StatisticsDraft(this.engine, this);
  }

  /** Moments of one batch norm; mean 0 and variance 1 until it has been met. */
  of(name: string, channels: number): Moments {
    const known = this.find(name);
    if (known !== undefined) return known;
    const constant = (value: number) =>
      this.engine.keep(this.engine.tensor(new Float32Array(channels).fill(value), [channels]));
    const initial = { mean: constant(0), variance: constant(1) };
    this.moments.set(name, initial);
    return initial;
  }

  /** Takes over new moments and disposes of the ones they replace. */
  replace(name: string, { mean, variance }: Moments): void {
    const old = this.moments.get(name);
    this.moments.set(name, {
      mean: this.engine.keep(mean),
      variance: this.engine.keep(variance),
    });
    if (old !== undefined) this.engine.dispose([old.mean, old.variance]);
  }

  /** Batch norms that have been met. */
  get size(): number {
    return this.moments.size;
  }

  /** Every batch norm's moments by name, sorted. */
  entries(): [string, Moments][] {
    return [...this.moments].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  dispose(): void {
    for (const { mean, variance } of this.moments.values()) {
      this.engine.dispose([mean, variance]);
    }
    this.moments.clear();
  }

  /** Moments that have been met, here or in what this is a draft of. */
  find(name: string): Moments | undefined {
    return this.moments.get(name);
  }
}

/**
 * Sees the moments of the statistics it was made from, keeps new ones to itself, and hands them over
 * in `commit`: a step that turns out bad is undone by disposing of its draft.
 */
export class StatisticsDraft extends Statistics {
  readonly #base: Statistics;

  constructor(engine: Engine, base: Statistics) {
    super(engine);
    this.#base = base;
  }

  /** Replaces the moments of the statistics that this is a draft of; the draft is empty then. */
  commit(): void {
    for (const [name, moments] of this.moments) this.#base.replace(name, moments);
    this.moments.clear(); // they are the other's now
  }

  override find(name: string): Moments | undefined {
    return super.find(name) ?? this.#base.find(name);
  }
}
