import { insert, isAdmissible, isCandidate, type Board, type Probe } from './board.ts';
import type { Path } from '../../searchspace/space.ts';
import type { Supernet } from '../../supernet/supernet.ts';
import { accuracyOf } from '../../training/losses.ts';
import type { SearchPlan } from '../../training/plan.ts';
import type { Batch } from '../../training/ports.ts';
import type { SearchState } from '../../training/state.ts';
import { predict, type StudentResult } from '../../training/student.ts';

/** A path that has just been trained. */
export interface Applicant {
  readonly path: Path;
  readonly macs: number;
  readonly step: number;
  readonly batch: Batch;
  readonly result: StudentResult;
}

/** What became of an applicant. */
export interface Admission {
  readonly board: Board;
  readonly measured: boolean;
  readonly admitted: boolean;
}

/** Share of the training work that measurements for the board may take. */
const MEASUREMENT_SHARE = 0.1;

/** Cost of a training step on an image, in forward passes: one forward, two backward. */
const FORWARDS_PER_TRAINED_IMAGE = 3;

/**
 * Measures a promising path on the held-out mini-set (no gradient, batch statistics) and lets it on
 * the board if the rule admits it. Its probe is the start of the batch it was trained on, with the
 * softmax of that same forward pass. Deviations D5 and D14.
 */
export function admit(
  supernet: Supernet,
  { board, activity }: SearchState,
  applicant: Applicant,
  { plan, epoch, miniSet }: { plan: SearchPlan; epoch: number; miniSet: Batch },
): Admission {
  const { path, macs, step, result } = applicant;
  const refused = { board, measured: false, admitted: false };
  if (epoch < plan.warmupEpochs) return refused;
  if (!canAfford(activity.measurements, step, plan.batchSize / miniSet.count)) return refused;
  if (!isCandidate(board, { accuracy: result.accuracy, macs }, plan.gapAt)) return refused;

  const probabilities = predict(supernet, miniSet.images, path);
  const accuracy = accuracyOf(probabilities, miniSet.labels);
  const canTeach = probabilities.every(Number.isFinite);
  if (!canTeach || !isAdmissible(board, { path, accuracy, macs }, plan.gapAt)) {
    return { ...refused, measured: true };
  }
  const probe = probeOf(applicant, plan.probeImages);
  const entry = { path, accuracy, batchAccuracy: result.accuracy, macs, step, probe };
  return { board: insert(board, entry), measured: true, admitted: true };
}

/**
 * Whether one more measurement keeps all of them within a tenth of the training work so far. It
 * counts images, not seconds, so that the same run measures the same paths on any machine.
 *
 * @param batchShare - Images of a training batch relative to those of a measurement.
 */
export function canAfford(measurements: number, step: number, batchShare: number): boolean {
  const work = FORWARDS_PER_TRAINED_IMAGE * batchShare * (step + 1);
  return measurements + 1 <= MEASUREMENT_SHARE * work;
}

function probeOf({ batch, result }: Applicant, images: number): Probe {
  const imageLength = batch.images.length / batch.count;
  const classes = result.probabilities.length / batch.count;
  return {
    images: batch.images.slice(0, images * imageLength),
    probabilities: result.probabilities.slice(0, images * classes),
  };
}
