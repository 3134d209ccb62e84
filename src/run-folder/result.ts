import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import { sha256 } from '../foundation/digest.ts';
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { BoardRow, SearchResult } from '../generated/result.ts';
import { createMetaNetwork, metaDifference, metaNorm } from '../algorithms/cream/meta-network.ts';
import { pathCost } from '../searchspace/cost.ts';
import type { Feasibility } from '../searchspace/feasibility.ts';
import { isSamePath } from '../algorithms/cream/board.ts';
import { pathSample, pathText } from '../searchspace/path.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import type { SearchOutcome } from '../training/loop.ts';
import type { SearchPlan } from '../training/plan.ts';
import type { RankedPath } from '../training/ranking.ts';
import type { SearchState } from '../training/state.ts';
import type { TrialConfig } from '../tasks/config.ts';
import { parseDocument, readText } from '../foundation/documents.ts';
import type { Environment } from '../trial/environment.ts';
import type { Images } from '../tasks/images.ts';

/** All that a result tells of. */
export interface Findings {
  readonly config: TrialConfig;
  readonly environment: Pick<Environment, 'trialJobId' | 'experimentId'>;
  readonly versions: Readonly<Record<string, string>>;
  readonly space: SearchSpace;
  readonly feasibility: Feasibility;
  readonly plan: SearchPlan;
  readonly images: Images;
  readonly outcome: SearchOutcome;
  /** Random paths measured as the answer was. */
  readonly baseline: readonly RankedPath[];
  readonly testAccuracy: number | null;
}

/** Checks a `result.json`. @throws TrialError ARCHITECTURE_INVALID */
export const parseResult: Validator<SearchResult> = createValidator({
  schema: resultSchema,
  code: 'ARCHITECTURE_INVALID',
  noun: 'the result of a search',
  next: 'Search again; schemas/result.schema.json describes the file.',
});

/** Reads a `result.json`. @throws TrialError FILE_UNREADABLE, ARCHITECTURE_INVALID */
export async function readResult(file: string): Promise<SearchResult> {
  return parseResult(parseDocument(await readText(file), file, 'ARCHITECTURE_INVALID'), file);
}

/** Puts a finished search into the form of `schemas/result.schema.json`. */
export function describeResult(findings: Findings): SearchResult {
  const { config, environment, space, plan, images, outcome, baseline } = findings;
  const [best] = outcome.ranking as readonly [RankedPath, ...RankedPath[]];
  const { macs, params } = pathCost(space, best.path);
  const { time } = outcome.state;
  return parseResult(
    {
      format: 'nni-cream-result/1',
      algorithm: 'cream',
      objective: { metric: 'top1', mode: 'maximize' },
      space: describeSpace(space, plan),
      best: {
        sample: pathSample(space, best.path),
        path: pathText(space, best.path),
        score: best.accuracy,
        macs,
        params,
      },
      board: boardRows(findings),
      baselines: { randomPaths: describeBaseline(baseline) },
      testAccuracy: findings.testAccuracy,
      normalisation: {
        mean: [...images.normalisation.mean],
        deviation: [...images.normalisation.std],
      },
      data: describeData(config.data.path, images),
      feasibility: describeFeasibility(findings.feasibility),
      activity: describeActivity(outcome.state, plan),
      costShares: {
        admission: time.admissionMs / time.trainingMs,
        dataWait: time.dataWaitMs / time.trainingMs,
      },
      provenance: {
        seed: config.seed,
        epochs: config.epochs,
        trialId: environment.trialJobId,
        experimentId: environment.experimentId,
        versions: findings.versions,
      },
    } satisfies SearchResult,
    'result.json',
  );
}

/** Digest of a resolved space: of all that its two files say. */
export function spaceSha256(space: SearchSpace): string {
  return sha256(JSON.stringify(space));
}

function describeSpace(
  space: SearchSpace,
  { minMacs, maxMacs }: SearchPlan,
): SearchResult['space'] {
  return {
    name: space.name,
    labels: space.choices.length,
    sha256: spaceSha256(space),
    macs: {
      min: minMacs,
      max: Number.isFinite(maxMacs) ? maxMacs : null,
      counting: 'conv+linear MACs',
    },
  };
}

function boardRows({ space, plan, outcome }: Findings): BoardRow[] {
  const { entries } = outcome.state.board;
  return outcome.ranking.flatMap(({ path, accuracy }, i) => {
    const entry = entries.find((other) => isSamePath(other.path, path));
    if (entry === undefined) return [];
    const { macs, params } = pathCost(space, path);
    return {
      rank: i + 1,
      score: accuracy,
      miniSetTop1: entry.accuracy,
      trainBatchTop1: entry.batchAccuracy,
      macs,
      params,
      epoch: Math.floor(entry.step / plan.stepsPerEpoch),
      sample: pathSample(space, path),
      path: pathText(space, path),
    };
  });
}

function describeBaseline(
  baseline: readonly RankedPath[],
): SearchResult['baselines']['randomPaths'] {
  const n = baseline.length;
  if (n === 0) return null;
  const accuracies = baseline.map(({ accuracy }) => accuracy);
  const mean = accuracies.reduce((sum, a) => sum + a, 0) / n;
  const squares = accuracies.reduce((sum, a) => sum + (a - mean) ** 2, 0);
  const standardError = n === 1 ? 0 : Math.sqrt(squares / (n - 1) / n);
  return { n, mean, standardError, max: Math.max(...accuracies) };
}

function describeData(path: string, { dataset, split }: Images): SearchResult['data'] {
  return {
    path,
    classes: [...dataset.classes],
    trainImages: split.training.length,
    boardImages: split.board.length,
    metaImages: split.meta.length,
    rankingImages: split.ranking.length,
    testImages: dataset.test?.count ?? 0,
    skipped: [...dataset.skipped],
  };
}

function describeFeasibility(report: Feasibility): SearchResult['feasibility'] {
  return {
    smallestMacs: report.smallest.macs,
    largestMacs: report.largest.macs,
    share: report.share,
    shareInterval: [...report.shareInterval],
    exact: report.exact,
  };
}

function describeActivity(
  { activity, meta }: SearchState,
  { seed }: SearchPlan,
): SearchResult['activity'] {
  const initialPhi = createMetaNetwork(meta.weight.length, seed);
  const { distilledSteps, rhoSum, rhoMin, rhoMax, ...counts } = activity;
  const isDistilled = distilledSteps > 0;
  return {
    boardOpenedAtEpoch: counts.boardOpenedAtEpoch,
    admissions: counts.admissions,
    metaSteps: counts.metaSteps,
    phiChange: metaNorm(metaDifference(meta, initialPhi)) / metaNorm(initialPhi),
    distilledSteps,
    rhoMin: isDistilled ? rhoMin : 0,
    rhoMax: isDistilled ? rhoMax : 0,
    rhoMean: isDistilled ? rhoSum / distilledSteps : 0,
  };
}
