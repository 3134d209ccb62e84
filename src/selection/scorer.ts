import type { Score } from '../algorithms/algorithm.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { HeldOut } from '../data/stream/held-out.ts';
import { macsModel, type AdditiveCostModel } from '../searchspace/cost-model.ts';
import { comparePaths, pathKey } from '../searchspace/path.ts';
import type { Path } from '../searchspace/space.ts';
import { valueOf, type Supernet } from '../supernet/supernet.ts';
import { answersOf, scoreOf, type Answers, type ScoringData } from './score.ts';

/** Paths whose answers are kept, the latest ones: one for each image, they are too many to keep all. */
const KEPT_ANSWERS = 64;

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
  readonly #macs: AdditiveCostModel;
  readonly #answers = new Map<string, Answers>();

  constructor(options: ScorerOptions) {
    this.#options = options;
    this.#macs = macsModel(options.supernet.space);
  }

  async score(path: Path, occasion: Occasion): Promise<Score> {
    const { key } = this.#work(path, occasion);
    const { cache } = this.#options;
    const known = cache.get(key);
    if (known !== undefined) return { path, ...known };
    const score = scoreOf(path, await this.answers(path, occasion));
    const { accuracy, crossEntropy } = score;
    cache.set(key, { accuracy, crossEntropy });
    return score;
  }

  /** Answers behind a score; taken again where the score is old. */
  async answers(path: Path, occasion: Occasion): Promise<Answers> {
    const { key, batches } = this.#work(path, occasion);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const { supernet, heldOut, weightOf = valueOf } = this.#options;
    const { calibration } = heldOut;
    const data = { calibration, images: batches, weightOf, pause: occasion.pause };
    const answers = await answersOf(supernet, path, data);
    const [oldest] = this.#answers.keys();
    if (oldest !== undefined && this.#answers.size >= KEPT_ANSWERS) this.#answers.delete(oldest);
    this.#answers.set(key, answers);
    return answers;
  }

  /**
   * Orders scores, the better one first; of equal ones the cheaper, and then the one whose candidates
   * come first: two paths are never equal.
   */
  compare(a: Score, b: Score): number {
    return (
      this.compareNumbers(a, b) ||
      this.#macs.cost(a.path) - this.#macs.cost(b.path) ||
      comparePaths(a.path, b.path)
    );
  }

  /** As {@link compare}, by the score alone: 0 for a tie. */
  compareNumbers(a: Score, b: Score): number {
    return this.lossOf(a) - this.lossOf(b);
  }

  /** What scores are ordered by, as a loss. */
  lossOf({ accuracy, crossEntropy }: Score): number {
    return this.#options.scoreBy === 'accuracy' ? 1 - accuracy : crossEntropy;
  }

  /** What the score is the mean of, or its opposite: a number for each image. */
  numbersOf({ hits, losses }: Answers): readonly number[] {
    return this.#options.scoreBy === 'accuracy' ? hits : losses;
  }

  /** Scores paths and sorts them, best first. */
  async rank(paths: readonly Path[], occasion: Occasion): Promise<Score[]> {
    const scores: Score[] = [];
    for (const path of paths) scores.push(await this.score(path, occasion));
    return scores.sort((a, b) => this.compare(a, b));
  }

  #work(path: Path, { weights, images }: Occasion): { key: string; batches: readonly Batch[] } {
    const batches = [...firstBatches(this.#options.heldOut.ranking, images)];
    const count = batches.reduce((sum, batch) => sum + batch.count, 0);
    return { key: `${weights} ${count} ${pathKey(path)}`, batches };
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
