import type { Score } from '../algorithms/algorithm.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { Path } from '../searchspace/space.ts';
import { mean } from '../foundation/statistics.ts';
import { hitsOf, lossesOf } from '../supernet/classification.ts';
import { predict } from '../supernet/inference.ts';
import { Statistics } from '../supernet/statistics.ts';
import { valueOf, type PassOptions, type Supernet } from '../supernet/supernet.ts';

/** Images that a path is scored on. */
export interface ScoringData {
  /** Training images for batch norm, not augmented. */
  readonly calibration: Iterable<Batch>;
  readonly images: Iterable<Batch>;
  /** Without it, the values. */
  readonly weightOf?: PassOptions['weightOf'];
  /** Lets the process serve signals after each batch; throws when the work must end. */
  readonly pause: () => Promise<void>;
}

/** Batch-norm moments of one path: the mean over calibration batches. The caller owns them. */
export async function calibrate(
  supernet: Supernet,
  path: Path,
  { calibration, pause, weightOf = valueOf }: Omit<ScoringData, 'images'>,
): Promise<Statistics> {
  const into = new Statistics(supernet.engine);
  let count = 0;
  for (const { images } of calibration) {
    const record = { into, factor: 1 / ++count };
    predict(supernet, images, path, { normalisation: { by: 'batch', record }, weightOf });
    await pause();
  }
  return into;
}

/** What a path answered, image by image. */
export interface Answers {
  /** Whether the answer was right: 1 or 0. */
  readonly hits: readonly number[];
  /** -log p(label), nats. */
  readonly losses: readonly number[];
}

/** Answers of a path on batches, normalised by recalibrated statistics. Deviation D15. */
export async function answersOf(
  supernet: Supernet,
  path: Path,
  data: ScoringData,
): Promise<Answers> {
  const statistics = await calibrate(supernet, path, data);
  const { weightOf = valueOf } = data;
  const options = { normalisation: { by: 'stored', statistics }, weightOf } as const;
  const [hits, losses]: [number[], number[]] = [[], []];
  for (const { images, labels } of data.images) {
    const probabilities = predict(supernet, images, path, options);
    hits.push(...hitsOf(probabilities, labels));
    losses.push(...lossesOf(probabilities, labels));
    await data.pause();
  }
  statistics.dispose();
  return { hits, losses };
}

/** Score that answers make. */
export function scoreOf(path: Path, { hits, losses }: Answers): Score {
  return { path, accuracy: mean(hits), crossEntropy: mean(losses) };
}

/** Score of a path on batches, as {@link answersOf}. */
export async function scorePath(supernet: Supernet, path: Path, data: ScoringData): Promise<Score> {
  return scoreOf(path, await answersOf(supernet, path, data));
}
