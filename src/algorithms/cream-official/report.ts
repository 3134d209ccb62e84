import { isSamePath } from '../../searchspace/path.ts';
import type { AlgorithmReport, MetricDeclaration, Schedule, Score } from '../algorithm.ts';
import { metaDifference, metaNorm } from '../cream/meta-network.ts';
import { createMetaNetwork } from './meta-network.ts';
import type { OfficialState } from './state.ts';

/** What the algorithm reports of an epoch. */
export const OFFICIAL_METRICS: readonly MetricDeclaration[] = [
  {
    key: 'kdLoss',
    unit: 'nats',
    meaning: 'Mean distillation loss of the distilled steps; 0 when there were none.',
  },
  {
    key: 'rho',
    unit: 'fraction',
    meaning: 'Mean weight of distillation of the distilled steps; 0 when there were none.',
  },
  {
    key: 'boardBest',
    unit: 'fraction',
    meaning: "Training-batch accuracy of the board's first entry; 0 while the board is empty.",
  },
];

/** The metrics of an epoch. */
export function officialMetrics({
  tally,
  board,
}: OfficialState): Record<'kdLoss' | 'rho' | 'boardBest', number> {
  const distilled = Math.max(1, tally.distilled);
  return {
    kdLoss: tally.kd / distilled,
    rho: tally.rho / distilled,
    boardBest: board.entries[0]?.batchAccuracy ?? 0,
  };
}

/** What the result says of a run: those of the ranked paths that are on the board, and its activity. */
export function describeOfficial(
  { activity, meta, board }: OfficialState,
  ranking: readonly Score[],
  { seed, schedule }: { seed: number; schedule: Schedule },
): AlgorithmReport {
  const initialPhi = createMetaNetwork(meta.weight.length, seed);
  const phiChange = metaNorm(metaDifference(meta, initialPhi)) / metaNorm(initialPhi);
  const { rhoSum, ...counts } = activity;
  const isDistilled = activity.distilledSteps > 0;
  const rho = {
    rhoMin: isDistilled ? activity.rhoMin : 0,
    rhoMax: isDistilled ? activity.rhoMax : 0,
    rhoMean: isDistilled ? rhoSum / activity.distilledSteps : 0,
  };
  const { boardOpenedAtEpoch, admissions, metaSteps } = counts;
  return {
    board: ranking.flatMap(({ path }) => {
      const entry = board.entries.find((other) => isSamePath(other.path, path));
      if (entry === undefined) return [];
      const epoch = Math.floor(entry.step / schedule.stepsPerEpoch);
      return { path, facts: { trainBatchTop1: entry.batchAccuracy, epoch } };
    }),
    activity: { ...counts, phiChange, ...rho },
    summary: [
      boardOpenedAtEpoch === null
        ? 'the board stayed empty'
        : `the board opened in epoch ${boardOpenedAtEpoch + 1}`,
      `${admissions} admissions, ${metaSteps} meta updates`,
      `phi moved by ${(100 * phiChange).toFixed(2)} %`,
      `rho from ${rho.rhoMin.toFixed(3)} to ${rho.rhoMax.toFixed(3)}`,
    ].join('; '),
  };
}
