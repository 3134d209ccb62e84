import type { Engine } from '../engine/engine.ts';
import type { Moments } from '../engine/ops.ts';

/**
 * Moments of every used batch norm, by name: the supernet's running statistics, or one path's
 * recalibrated ones. Owns its tensors.
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

  /** Moments of one batch norm; mean 0 and variance 1 before its first use. */
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

  /** Number of used batch norms. */
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
 * Reads through to the original statistics, collects new moments, and writes them back in `commit`.
 * Disposing of the draft undoes a bad step.
 */
export class StatisticsDraft extends Statistics {
  readonly #base: Statistics;

  constructor(engine: Engine, base: Statistics) {
    super(engine);
    this.#base = base;
  }

  /** Replaces the moments of the original statistics, and empties the draft. */
  commit(): void {
    for (const [name, moments] of this.moments) this.#base.replace(name, moments);
    this.moments.clear(); // the original owns them now
  }

  override find(name: string): Moments | undefined {
    return super.find(name) ?? this.#base.find(name);
  }
}
