import type { AlgorithmReport, MetricDeclaration, Schedule, Score } from '../algorithm.ts';
import { canonicalPath } from '../../searchspace/canonical.ts';
import { isSamePath, pathText } from '../../searchspace/path.ts';
import type { SearchSpace } from '../../searchspace/space.ts';
import { createMetaNetwork, metaDifference, metaNorm } from './meta-network.ts';
import type { CreamState, Tally } from './state.ts';

/** What Cream reports of an epoch. */
export const CREAM_METRICS: readonly MetricDeclaration[] = [
  {
    key: 'kdLoss',
    unit: 'nats',
    meaning: 'Mean distillation loss of the epoch; 0 where nobody was taught.',
  },
  {
    key: 'rho',
    unit: 'fraction',
    meaning: 'Mean matching degree of the epoch; 0 where nobody was taught.',
  },
  {
    key: 'rhoSpread',
    unit: 'fraction',
    meaning: 'Standard deviation of the matching degree over the epoch.',
  },
  {
    key: 'boardMean',
    unit: 'fraction',
    meaning: "Mean accuracy of the board's paths; of random paths before the board opens.",
  },
  {
    key: 'boardChanges',
    unit: 'paths',
    meaning: 'Paths that came onto the board in the epoch.',
  },
  {
    key: 'teachers',
    unit: 'paths',
    meaning: 'Different paths that taught in the epoch.',
  },
];

type CreamMetric = 'kdLoss' | 'rho' | 'rhoSpread' | 'boardMean' | 'boardChanges' | 'teachers';

/** The metrics of an epoch. */
export function creamMetrics(
  { tally }: CreamState,
  ranking: readonly Score[],
): Record<CreamMetric, number> {
  return {
    kdLoss: tally.kd / Math.max(1, tally.lessons),
    ...matchingOf(tally),
    boardMean: ranking.reduce((sum, { accuracy }) => sum + accuracy, 0) / ranking.length,
    boardChanges: tally.admitted,
    teachers: tally.teachers.length,
  };
}

function matchingOf({ lessons, rho, rhoSquare }: Tally): { rho: number; rhoSpread: number } {
  const mean = rho / Math.max(1, lessons);
  const variance = rhoSquare / Math.max(1, lessons) - mean * mean;
  return { rho: mean, rhoSpread: Math.sqrt(Math.max(0, variance)) };
}

/** An epoch in a line for people: the best path, the board's changes, who taught, and how much. */
export function tellCream(
  { board, tally }: CreamState,
  [best]: readonly Score[],
  space: SearchSpace,
): string {
  if (best === undefined || board.entries.length === 0) return 'the board is still closed';
  const { rho, rhoSpread } = matchingOf(tally);
  const [busiest] = tally.teachers.toSorted((a, b) => b.lessons - a.lessons);
  return [
    `best of the board: ${pathText(space, best.path)}`,
    `board of ${board.entries.length}: ${tally.admitted} came, ${tally.left} left`,
    busiest === undefined
      ? 'nobody taught'
      : `${tally.teachers.length} taught, most often ${pathText(space, busiest.path)} ` +
        `(${busiest.lessons} of ${tally.lessons}); rho ${rho.toFixed(3)} +- ${rhoSpread.toFixed(3)}`,
  ].join('; ');
}

/** What the result says of a run: the board, and what the meta network did. */
export function describeCream(
  { activity, meta, board }: CreamState,
  ranking: readonly Score[],
  { seed, schedule, space }: { seed: number; schedule: Schedule; space: SearchSpace },
): AlgorithmReport {
  const initialPhi = createMetaNetwork(meta.weight.length, seed);
  const phiChange = metaNorm(metaDifference(meta, initialPhi)) / metaNorm(initialPhi);
  const { lessons, rhoSum, rhoMin, rhoMax, boardOpenedAtEpoch } = activity;
  const isTaught = lessons > 0;
  const rho = {
    rhoMin: isTaught ? rhoMin : 0,
    rhoMax: isTaught ? rhoMax : 0,
    rhoMean: isTaught ? rhoSum / lessons : 0,
  };
  const { admissions, measurements, metaSteps } = activity;
  return {
    board: ranking.flatMap(({ path }) => {
      const network = canonicalPath(space, path);
      const entry = board.entries.find((other) => isSamePath(other.path, network));
      if (entry === undefined) return [];
      const epoch = Math.floor(entry.since / schedule.stepsPerEpoch);
      const { accuracy: miniSetTop1, crossEntropy: miniSetCrossEntropy } = entry;
      return { path, facts: { miniSetTop1, miniSetCrossEntropy, epoch } };
    }),
    activity: {
      boardOpenedAtEpoch,
      measurements,
      admissions,
      metaSteps,
      phiChange,
      lessons,
      ...rho,
    },
    summary: [
      boardOpenedAtEpoch === null
        ? 'the board stayed empty'
        : `the board opened in epoch ${boardOpenedAtEpoch + 1}`,
      `${measurements} measurements, ${admissions} admissions, ${metaSteps} meta steps`,
      `phi moved by ${(100 * phiChange).toFixed(2)} %`,
      `rho from ${rho.rhoMin.toFixed(3)} to ${rho.rhoMax.toFixed(3)}`,
    ].join('; '),
  };
}
