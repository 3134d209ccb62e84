import { sliceBatch, type Batch } from '../../data/stream/batch.ts';
import { mean } from '../../foundation/statistics.ts';
import { isSamePath, pathKey } from '../../searchspace/path.ts';
import type { Path } from '../../searchspace/space.ts';
import { accuracyOf, lossesOf } from '../../supernet/classification.ts';
import type { Learner } from '../algorithm.ts';
import { admitBy, type AdmissionRule, type Board, type BoardEntry } from './board.ts';

/** A path that was trained since the last round and waits for the next one. */
export interface Applicant {
  /** The canonical one of its network. */
  readonly path: Path;
  readonly macs: number;
  /** How far its cross-entropy was below the mean of its step, on its own images, nats. */
  readonly lead: number;
}

/** Paths that have just been trained, with their cross-entropy to the labels of their images. */
export type Trained = readonly (Omit<Applicant, 'lead'> & { readonly crossEntropy: number })[];

/**
 * The most promising paths that have been trained since the last round, best first, as many as the
 * board has places; its own paths need not apply. Equal leads, as where a step trains one path, go to
 * the path that was trained last.
 */
export function apply(
  { capacity, entries }: Board,
  waiting: readonly Applicant[],
  trained: Trained,
): readonly Applicant[] {
  const mean = trained.reduce((sum, { crossEntropy }) => sum + crossEntropy, 0) / trained.length;
  const applicants = trained.map(({ path, macs, crossEntropy }) => {
    return { path, macs, lead: mean - crossEntropy };
  });
  const byPath = new Map<string, Applicant>();
  for (const applicant of [...applicants, ...waiting].sort((a, b) => b.lead - a.lead)) {
    const key = pathKey(applicant.path);
    if (!byPath.has(key) && !holds(entries, applicant.path)) byPath.set(key, applicant);
  }
  return [...byPath.values()].slice(0, capacity);
}

/** What a round is held with. */
export interface Round {
  readonly learner: Learner;
  readonly rule: AdmissionRule;
  readonly step: number;
  /** Held-out images that all are measured on. */
  readonly miniSet: Batch;
  /** Images on which entries and students are compared. */
  readonly probe: Batch;
}

/** A board after a round. */
export interface Outcome {
  readonly board: Board;
  /** Paths that came onto the board. */
  readonly admitted: readonly Path[];
  /** Paths that left it. */
  readonly left: readonly Path[];
  readonly measurements: number;
}

/**
 * Measures the whole board and the applicants with the same weights on the same held-out images (no
 * gradient, batch statistics), and lets the rule say who stays. Deviations D6 and D14.
 */
export function holdRound(board: Board, applicants: readonly Applicant[], round: Round): Outcome {
  const { rule, step } = round;
  const measure = (of: Pick<BoardEntry, 'path' | 'macs' | 'since'>): BoardEntry[] =>
    measured(of, round);
  const members = board.entries.flatMap(measure);
  const entrants = applicants.flatMap(({ path, macs }) => measure({ path, macs, since: step }));
  const next = admitBy(rule, board, members, entrants);
  return {
    board: next,
    admitted: pathsBeside(next.entries, board.entries),
    left: pathsBeside(board.entries, next.entries),
    measurements: board.entries.length + applicants.length,
  };
}

/** An entry as it is now; none where its numbers are not finite. */
function measured(
  { path, macs, since }: Pick<BoardEntry, 'path' | 'macs' | 'since'>,
  { learner, miniSet, probe }: Round,
): BoardEntry[] {
  const answers = learner.evaluate(path, miniSet);
  const probabilities = learner.evaluate(path, probe);
  if (![answers, probabilities].every((numbers) => numbers.every(Number.isFinite))) return [];
  const crossEntropy = mean([...lossesOf(answers, miniSet.labels)]);
  const accuracy = accuracyOf(answers, miniSet.labels);
  return [{ path, macs, crossEntropy, accuracy, probabilities, since }];
}

function holds(entries: readonly BoardEntry[], path: Path): boolean {
  return entries.some((entry) => isSamePath(entry.path, path));
}

function pathsBeside(entries: readonly BoardEntry[], others: readonly BoardEntry[]): Path[] {
  return entries.map(({ path }) => path).filter((path) => !holds(others, path));
}

/** The first images of the mini-set. */
export function probeOf(miniSet: Batch, images: number): Batch {
  return sliceBatch(miniSet, 0, Math.min(images, miniSet.count));
}

/** Share of the training work that measurements for the board may take. */
const MEASUREMENT_SHARE = 0.1;

/** Cost of a training step on an image, in forward passes: one forward, two backward. */
const FORWARDS_PER_TRAINED_IMAGE = 3;

/**
 * Steps between two rounds, so that a full round takes at most a tenth of the training work that
 * follows it. It counts images, not seconds, so that the same run measures the same paths on any
 * machine.
 *
 * @param images - Images of the measurement of one path.
 */
export function roundInterval(
  boardSize: number,
  { images, batchSize }: { readonly images: number; readonly batchSize: number },
): number {
  const work = 2 * boardSize * images;
  return Math.ceil(work / (MEASUREMENT_SHARE * FORWARDS_PER_TRAINED_IMAGE * batchSize));
}
