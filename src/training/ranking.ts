import type { Path } from '../searchspace/space.ts';
import { Statistics } from '../supernet/statistics.ts';
import type { Supernet } from '../supernet/supernet.ts';
import { accuracyOf } from './losses.ts';
import type { Batch } from './ports.ts';
import { predict } from './student.ts';

/** A path and its accuracy with recalibrated batch norms, fraction. */
export interface RankedPath {
  readonly path: Path;
  readonly accuracy: number;
}

/** Images that a path is measured on. */
export interface RankingData {
  /** Training images for batch norm, not augmented. */
  readonly calibration: Iterable<Batch>;
  readonly images: () => Iterable<Batch>;
}

/** Batch-norm moments of one path: the mean over calibration batches. The caller owns them. */
export function calibrate(
  supernet: Supernet,
  path: Path,
  calibration: Iterable<Batch>,
): Statistics {
  const into = new Statistics(supernet.engine);
  let count = 0;
  for (const { images } of calibration) {
    const record = { into, factor: 1 / ++count };
    predict(supernet, images, path, { normalisation: { by: 'batch', record } });
  }
  return into;
}

/** Accuracy of a path on batches, normalised by recalibrated statistics. Deviation D15. */
export function measurePath(
  supernet: Supernet,
  path: Path,
  { calibration, images }: RankingData,
): number {
  const statistics = calibrate(supernet, path, calibration);
  const normalisation = { by: 'stored', statistics } as const;
  let hits = 0;
  let count = 0;
  for (const batch of images()) {
    const probabilities = predict(supernet, batch.images, path, { normalisation });
    hits += accuracyOf(probabilities, batch.labels) * batch.count;
    count += batch.count;
  }
  statistics.dispose();
  return hits / count;
}

/** Measures paths and sorts them, most accurate first; pauses between two paths. */
export async function rankPaths(
  supernet: Supernet,
  paths: readonly Path[],
  data: RankingData & { readonly pause: () => Promise<void> },
): Promise<RankedPath[]> {
  const ranked: RankedPath[] = [];
  for (const path of paths) {
    ranked.push({ path, accuracy: measurePath(supernet, path, data) });
    await data.pause();
  }
  return ranked.sort((a, b) => b.accuracy - a.accuracy);
}
