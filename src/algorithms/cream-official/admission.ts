import type { Batch } from '../../data/stream/batch.ts';
import { insert, isAdmissible, type Board, type BoardEntry } from './board.ts';
import type { OfficialSettings } from './settings.ts';

/** A path that has just been trained. */
export interface Applicant extends Omit<BoardEntry, 'probe'> {
  readonly batch: Batch;
  /** Its softmax in the forward pass that it was trained by, `float32 [batch, classes]`. */
  readonly probabilities: Float32Array;
  /** Its teacher's on the same images; null where nobody taught. */
  readonly teaching: Float32Array | null;
}

/**
 * Lets a path on the board by the accuracy of the batch that it was trained on (defect D14). With the
 * first images of that batch its teacher's softmax is stored, its own only where nobody taught it,
 * which is so for the first entry (defect D5).
 *
 * @returns The very same board where the path is refused.
 */
export function admit(
  board: Board,
  { batch, probabilities, teaching, ...merit }: Applicant,
  epoch: number,
  { warmupEpochs, accGap, probeImages }: OfficialSettings,
): Board {
  if (epoch < warmupEpochs || !isAdmissible(board, merit, accGap)) return board;
  const perImage = batch.images.length / batch.count;
  const classes = probabilities.length / batch.count;
  const probe = {
    images: batch.images.slice(0, probeImages * perImage),
    probabilities: (teaching ?? probabilities).slice(0, probeImages * classes),
  };
  return insert(board, { ...merit, probe });
}
