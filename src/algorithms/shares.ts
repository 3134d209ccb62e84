import { sliceBatch, type Batch } from '../data/stream/batch.ts';
import type { Path } from '../searchspace/space.ts';
import type { Setting } from './algorithm.ts';

/** A path of a step and the images that it is trained on. */
export interface Student {
  readonly path: Path;
  readonly share: Batch;
}

/** Gives each of a step's paths its share of the batch, so that a step costs no more than one path. */
export function shareOut(paths: readonly Path[], batch: Batch): Student[] {
  return paths.map((path, k) => ({ path, share: shareOf(batch, k, paths.length) }));
}

/** The k-th of equal parts of a batch, as far as they can be equal; at least one image. */
export function shareOf(batch: Batch, k: number, parts: number): Batch {
  const [start = 0, end = 0] = [k, k + 1].map((cut) => Math.floor((cut * batch.count) / parts));
  return sliceBatch(batch, Math.min(start, batch.count - 1), Math.max(end, start + 1));
}

/** Paths of a step where the config names no number. */
const PATHS_PER_STEP = 4;

/** How many paths a step trains; measured, see docs/training.md. */
export function pathsPerStep({ pathsPerStep: asked, batchSize }: Setting['config']): number {
  return Math.min(asked ?? PATHS_PER_STEP, batchSize);
}
