import { sliceBatch, type Batch } from '../data/stream/batch.ts';
/** The k-th of equal parts of a batch. */
export function shareOf(batch: Batch, k: number, parts: number): Batch {
  return sliceBatch(
    batch,
    Math.floor((k * batch.count) / parts),
    Math.floor(((k + 1) * batch.count) / parts),
  );
}
/** Paths that a step trains where the config says nothing. */
export function defaultPathsPerStep(batchSize: number): number {
  return Math.min(4, batchSize);
}
