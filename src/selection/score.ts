import type { Score } from '../algorithms/algorithm.ts';
import type { Batch } from '../data/stream/batch.ts';
import type { Path } from '../searchspace/space.ts';
import { accuracyOf, crossEntropyOf } from '../supernet/classification.ts';
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

/** Score of a path on batches, normalised by recalibrated statistics. Deviation D15. */
export async function scorePath(supernet: Supernet, path: Path, data: ScoringData): Promise<Score> {
  const statistics = await calibrate(supernet, path, data);
  const { weightOf = valueOf } = data;
  const options = { normalisation: { by: 'stored', statistics }, weightOf } as const;
  let [hits, nats, count] = [0, 0, 0];
  for (const batch of data.images) {
    const probabilities = predict(supernet, batch.images, path, options);
    hits += accuracyOf(probabilities, batch.labels) * batch.count;
    nats += crossEntropyOf(probabilities, batch.labels) * batch.count;
    count += batch.count;
    await data.pause();
  }
  statistics.dispose();
  return { path, accuracy: hits / count, crossEntropy: nats / count };
}
