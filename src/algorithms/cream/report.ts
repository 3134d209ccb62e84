import type { AlgorithmReport, MetricDeclaration, Schedule, Score } from '../algorithm.ts';
import { isSamePath } from '../../searchspace/path.ts';
import { createMetaNetwork, metaDifference, metaNorm } from './meta-network.ts';
import type { CreamState } from './state.ts';

/** What Cream reports of an epoch. */
export const CREAM_METRICS: readonly MetricDeclaration[] = [
  {
    key: 'kdLoss',
    unit: 'nats',
    meaning: 'Mean distillation loss of the distilled steps; 0 when there were none.',
  },
  {
    key: 'rho',
    unit: 'fraction',
    meaning: 'Mean matching degree of the distilled steps; 0 when there were none.',
  },
  {
    key: 'boardMean',
    unit: 'fraction',
    meaning: "Mean accuracy of the board's paths; of random paths before the board opens.",
  },
];

/** The metrics of an epoch. */
export function creamMetrics(
  { tally }: CreamState,
  ranking: readonly Score[],
): Record<'kdLoss' | 'rho' | 'boardMean', number> {
  const distilled = Math.max(1, tally.distilled);
  return {
    kdLoss: tally.kd / distilled,
    rho: tally.rho / distilled,
    boardMean: ranking.reduce((sum, { accuracy }) => sum + accuracy, 0) / ranking.length,
  };
}

/** What the result says of a run: the board, and what the meta network did. */
export function describeCream(
  { activity, meta, board }: CreamState,
  ranking: readonly Score[],
  { seed, schedule }: { seed: number; schedule: Schedule },
): AlgorithmReport {
  const initialPhi = createMetaNetwork(meta.weight.length, seed);
  const phiChange = metaNorm(metaDifference(meta, initialPhi)) / metaNorm(initialPhi);
  const { distilledSteps, rhoSum, rhoMin, rhoMax, boardOpenedAtEpoch } = activity;
  const isDistilled = distilledSteps > 0;
  const rho = {
    rhoMin: isDistilled ? rhoMin : 0,
    rhoMax: isDistilled ? rhoMax : 0,
    rhoMean: isDistilled ? rhoSum / distilledSteps : 0,
  };
  const { admissions, metaSteps } = activity;
  return {
    board: ranking.flatMap(({ path }) => {
      const entry = board.entries.find((other) => isSamePath(other.path, path));
      if (entry === undefined) return [];
      const epoch = Math.floor(entry.step / schedule.stepsPerEpoch);
      const { accuracy: miniSetTop1, batchAccuracy: trainBatchTop1 } = entry;
      return { path, facts: { miniSetTop1, trainBatchTop1, epoch } };
    }),
    activity: { boardOpenedAtEpoch, admissions, metaSteps, phiChange, distilledSteps, ...rho },
    summary: [
      boardOpenedAtEpoch === null
        ? 'the board stayed empty'
        : `the board opened in epoch ${boardOpenedAtEpoch + 1}`,
      `${admissions} admissions, ${metaSteps} meta steps`,
      `phi moved by ${(100 * phiChange).toFixed(2)} %`,
      `rho from ${rho.rhoMin.toFixed(3)} to ${rho.rhoMax.toFixed(3)}`,
    ].join('; '),
  };
}
