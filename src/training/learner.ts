import type { Learner, LossOf, PathGradients } from '../algorithms/algorithm.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { Optimizer } from '../engine/optimizer.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Path } from '../searchspace/space.ts';
import { predict } from '../supernet/inference.ts';
import type { StatisticsDraft } from '../supernet/statistics.ts';
import type { Supernet } from '../supernet/supernet.ts';
import { addGradients, gradientsOf, scaleAll } from './gradients.ts';

/** What a {@link StepLearner} works with. */
export interface LearnerOptions {
  readonly supernet: Supernet;
  readonly optimizer: Optimizer;
  /** Largest norm of the gradient, which is scaled down to it. */
  readonly clipNorm: number;
  readonly lr: number;
  readonly clock: Clock;
}

/** The learner of one step: what is not updated when the step ends is as if it had never been. */
export class StepLearner implements Learner {
  readonly supernet: Supernet;
  readonly lr: number;
  readonly #options: LearnerOptions;
  /** Moments of the step's batches, which an update makes part of the running statistics. */
  readonly #running: StatisticsDraft;
  readonly #unused = new Set<PathGradients>();
  #evaluationMs = 0;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.supernet = options.supernet;
    this.lr = options.lr;
    this.#running = options.supernet.running.draft();
  }

  /** Milliseconds that {@link evaluate} has taken. */
  get evaluationMs(): number {
    return this.#evaluationMs;
  }

  gradientsOf(path: Path, batch: Batch, lossOf: LossOf): PathGradients {
    const part = gradientsOf(this.supernet, { path, batch }, lossOf, this.#running);
    this.#unused.add(part);
    return part;
  }

  update(parts: readonly PathGradients[]): boolean {
    const { engine } = this.supernet;
    for (const part of parts) this.#unused.delete(part);
    const sums = addGradients(
      engine,
      parts.map(({ gradients }) => gradients),
    );
    const gradients = [...sums.values()];
    const areLossesFinite = parts.every(({ loss }) => Number.isFinite(loss));
    const norm = engine.norm(gradients);
    if (!areLossesFinite || !Number.isFinite(norm)) {
      engine.dispose(gradients);
      this.#running.dispose(); // the moments that came with them
      return false;
    }
    this.#running.commit();
    const { optimizer, clipNorm } = this.#options;
    const clipped = norm > clipNorm ? scaleAll(engine, gradients, clipNorm / norm) : gradients;
    optimizer.step(engine, [...sums.keys()], clipped, this.lr);
    return true;
  }

  evaluate(path: Path, { images }: Batch): Float32Array {
    const { clock } = this.#options;
    const started = clock();
    const probabilities = predict(this.supernet, images, path);
    this.#evaluationMs += clock() - started;
    return probabilities;
  }

  /** Frees what was not used by an update. */
  dispose(): void {
    for (const { gradients } of this.#unused) this.supernet.engine.dispose(gradients.values());
    this.#unused.clear();
    this.#running.dispose();
  }
}
