import { createRng } from '../foundation/rng.ts';
import { samplePath } from '../searchspace/sampler.ts';
import type { Path } from '../searchspace/space.ts';
import { planBudget, type SearchPlan } from './plan.ts';
import type { Batch, SearchMetrics } from './ports.ts';
import type { RankedPath } from './ranking.ts';
import { learningRate } from './schedule.ts';
import { rateScale } from './stability.ts';
import type { SearchState } from './state.ts';

/** Random paths that stand in for the board until it opens. */
const STAND_INS = 10;

/** Which paths an epoch's report ranks: the board, or random paths before it opens. */
export function pathsToRank(
  { board, supernet }: SearchState,
  { plan, macsOf }: { plan: SearchPlan; macsOf: (path: Path) => number },
  epoch: number,
): readonly Path[] {
  if (board.entries.length > 0) return board.entries.map(({ path }) => path);
  return Array.from({ length: STAND_INS }, (_, index) =>
    samplePath(
      supernet.space,
      { budget: planBudget(plan, macsOf), prior: plan.prior },
      createRng({ seed: plan.seed, stream: 'stand-in', step: epoch, index }),
    ),
  );
}

/** The first batches that together hold at least `images` images. */
export function* firstBatches(batches: Iterable<Batch>, images: number): Generator<Batch> {
  let held = 0;
  for (const batch of batches) {
    yield batch;
    held += batch.count;
    if (held >= images) return;
  }
}

/** An epoch's metrics. */
export function metricsOf(
  { step, board, tally, stability }: SearchState,
  ranking: readonly RankedPath[],
  context: { plan: SearchPlan; macsOf: (path: Path) => number; skippedImages: number },
): SearchMetrics {
  const { plan, macsOf, skippedImages } = context;
  const best = ranking[0] as RankedPath;
  const mean = ranking.reduce((sum, { accuracy }) => sum + accuracy, 0) / ranking.length;
  const distilled = Math.max(1, tally.distilled);
  return {
    default: board.entries.length > 0 ? best.accuracy : mean,
    loss: tally.loss / Math.max(1, tally.steps),
    kdLoss: tally.kd / distilled,
    rho: tally.rho / distilled,
    boardMean: mean,
    bestMacs: macsOf(best.path),
    lr: rateScale(stability) * learningRate(plan.lr, step, plan.totalSteps),
    imagesPerSecond: (1000 * tally.steps * plan.batchSize) / Math.max(1, tally.ms),
    skippedSteps: stability.skipped,
    skippedImages,
  };
}
