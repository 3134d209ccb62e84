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
  /** Lets the process serve signals after each batch; throws when the search must end. */
  readonly pause: () => Promise<void>;
}

/** Batch-norm moments of one path: the mean over calibration batches. The caller owns them. */
export async function calibrate(
  supernet: Supernet,
  path: Path,
  { calibration, pause }: Pick<RankingData, 'calibration' | 'pause'>,
): Promise<Statistics> {
  const into = new Statistics(supernet.engine);
  let count = 0;
  for (const { images } of calibration) {
    const record = { into, factor: 1 / ++count };
    predict(supernet, images, path, { normalisation: { by: 'batch', record } });
    await pause();
  }
  return into;
}

/** Accuracy of a path on batches, normalised by recalibrated statistics. Deviation D15. */
export async function measurePath(
  supernet: Supernet,
  path: Path,
  data: RankingData,
): Promise<number> {
  const statistics = await calibrate(supernet, path, data);
  const normalisation = { by: 'stored', statistics } as const;
  let hits = 0;
  let count = 0;
  for (const batch of data.images()) {
    const probabilities = predict(supernet, batch.images, path, { normalisation });
    hits += accuracyOf(probabilities, batch.labels) * batch.count;
    count += batch.count;
    await data.pause();
  }
  statistics.dispose();
  return hits / count;
}

/** Measures paths and sorts them, most accurate first. */
export async function rankPaths(
  supernet: Supernet,
  paths: readonly Path[],
  data: RankingData,
): Promise<RankedPath[]> {
  const ranked: RankedPath[] = [];
  for (const path of paths) {
    ranked.push({ path, accuracy: await measurePath(supernet, path, data) });
  }
  return ranked.sort((a, b) => b.accuracy - a.accuracy);
}
