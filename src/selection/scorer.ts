import type { Score } from '../algorithms/algorithm.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { HeldOut } from '../data/stream/held-out.ts';
import { pathKey } from '../searchspace/path.ts';
import type { Path } from '../searchspace/space.ts';
import { valueOf, type Supernet } from '../supernet/supernet.ts';
import { scorePath, type ScoringData } from './score.ts';

/** Scores that were taken before; one for each state of the weights, number of images and path. */
export interface ScoreCache {
  get(key: string): Omit<Score, 'path'> | undefined;
  set(key: string, score: Omit<Score, 'path'>): void;
}

/** Which weights paths are scored with, and on how many images. */
export interface Occasion {
  /** Changes whenever a weight does. */
  readonly weights: string;
  /** Held-out images: the first batches that hold as many. */
  readonly images: number;
  readonly pause: ScoringData['pause'];
}

/** What a {@link Scorer} works with. */
export interface ScorerOptions {
  /** What paths are ordered by. */
  readonly scoreBy: 'crossEntropy' | 'accuracy';
  readonly supernet: Supernet;
  readonly heldOut: Pick<HeldOut, 'calibration' | 'ranking'>;
  readonly cache: ScoreCache;
  /** The weights that paths are scored with; without it, the values. */
  readonly weightOf?: ScoringData['weightOf'];
}

/** Scores paths on the held-out ranking images; each path once for a state of the weights. */
export class Scorer {
  readonly #options: ScorerOptions;

  constructor(options: ScorerOptions) {
    this.#options = options;
  }

  async score(path: Path, { weights, images, pause }: Occasion): Promise<Score> {
    const { heldOut, cache } = this.#options;
    const batches = [...firstBatches(heldOut.ranking, images)];
    const count = batches.reduce((sum, batch) => sum + batch.count, 0);
    const key = `${weights} ${count} ${pathKey(path)}`;
    const known = cache.get(key);
    if (known !== undefined) return { path, ...known };
    const { accuracy, crossEntropy } = await this.measure(path, { images: batches, pause });
    cache.set(key, { accuracy, crossEntropy });
    return { path, accuracy, crossEntropy };
  }

  /** Score of a path on images of the caller's, remembered nowhere. */
  measure(path: Path, data: Pick<ScoringData, 'images' | 'pause'>): Promise<Score> {
    const { supernet, heldOut, weightOf = valueOf } = this.#options;
    return scorePath(supernet, path, { ...data, calibration: heldOut.calibration, weightOf });
  }

  /** Which of two scores is the better one: negative for the first. */
  compare(a: Score, b: Score): number {
    return this.#options.scoreBy === 'accuracy'
      ? b.accuracy - a.accuracy
      : a.crossEntropy - b.crossEntropy;
  }

  /** Scores paths and sorts them, best first; equals stay in their order. */
  async rank(paths: readonly Path[], occasion: Occasion): Promise<Score[]> {
    const scores: Score[] = [];
    for (const path of paths) scores.push(await this.score(path, occasion));
    return scores.sort((a, b) => this.compare(a, b));
  }
}

/** A cache in memory. */
export function memoryCache(): ScoreCache {
  return new Map<string, Omit<Score, 'path'>>();
}

/** The first batches that together hold at least `images` images. */
export function* firstBatches(batches: Iterable<Batch>, images: number): Generator<Batch> {
  let held = 0;
  for (const batch of batches) {
    yield batch;
    held += batch.count;
    if (held >= images) return;
  }
}
