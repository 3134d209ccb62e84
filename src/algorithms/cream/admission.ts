import type { Batch } from '../../data/stream/batch.ts';
import type { Path } from '../../searchspace/space.ts';
import { accuracyOf } from '../../supernet/classification.ts';
import type { Learner } from '../algorithm.ts';
import { insert, isAdmissible, isCandidate, type Board, type Probe } from './board.ts';
import type { CreamSettings } from './settings.ts';
import type { CreamState } from './state.ts';

/** A path that has just been trained. */
export interface Applicant {
  readonly path: Path;
  readonly macs: number;
  readonly step: number;
  readonly batch: Batch;
  /** On that batch, fraction. */
  readonly accuracy: number;
  /** Softmax of the forward pass that it was trained by, `float32 [batch, classes]`. */
  readonly probabilities: Float32Array;
}

/** What became of an applicant. */
export interface Admission {
  readonly board: Board;
  readonly measured: boolean;
  readonly admitted: boolean;
}

/** What a board is kept with. */
export interface BoardOffice {
  readonly learner: Learner;
  readonly settings: CreamSettings;
  readonly epoch: number;
  /** Held-out images that applicants are measured on. */
  readonly miniSet: Batch;
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
  { board, activity }: CreamState,
  applicant: Applicant,
  { learner, settings, epoch, miniSet }: BoardOffice,
): Admission {
  const { path, macs, step, batch } = applicant;
  const { warmupEpochs, gapAt } = settings.board;
  const refused = { board, measured: false, admitted: false };
  if (epoch < warmupEpochs) return refused;
  if (!canAfford(activity.measurements, step, batch.count / miniSet.count)) return refused;
  if (!isCandidate(board, { accuracy: applicant.accuracy, macs }, gapAt)) return refused;

  const probabilities = learner.evaluate(path, miniSet);
  const accuracy = accuracyOf(probabilities, miniSet.labels);
  const canTeach = probabilities.every(Number.isFinite);
  if (!canTeach || !isAdmissible(board, { path, accuracy, macs }, gapAt)) {
    return { ...refused, measured: true };
  }
  const probe = probeOf(applicant, settings.probeImages);
  const entry = { path, accuracy, batchAccuracy: applicant.accuracy, macs, step, probe };
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

function probeOf({ batch, probabilities }: Applicant, images: number): Probe {
  const imageLength = batch.images.length / batch.count;
  const classes = probabilities.length / batch.count;
  return {
    images: batch.images.slice(0, images * imageLength),
    probabilities: probabilities.slice(0, images * classes),
  };
}
