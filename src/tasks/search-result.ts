import type { KeptPath, Score } from '../algorithms/algorithm.ts';
import { mean, standardError } from '../foundation/statistics.ts';
import type { SearchResult } from '../generated/result.ts';
import { parseResult } from '../run-folder/result.ts';
import { pathCost } from '../searchspace/cost.ts';
import type { Feasibility } from '../searchspace/feasibility.ts';
import { isSamePath, pathSample, pathText } from '../searchspace/path.ts';
import type { Path } from '../searchspace/space.ts';
import type { SearchState } from '../training/state.ts';
import type { CloseCalls } from '../selection/close-calls.ts';
import type { Confirmation } from './confirmation.ts';
import type { Images } from './images.ts';
import type { Session } from './session.ts';
import { spaceSha256 } from './space-files.ts';
import type { TaskHost } from './task.ts';
import { closeCallLines, verdictLine } from './verdict-line.ts';
import { versionsOf, type Workspace } from './workspace.ts';

/** Most scored paths that a result lists. */
const LISTED = 100;

/** Findings of a search. */
export interface Findings {
  /** Best first: the first one is the answer. */
  readonly scores: readonly [Score, ...Score[]];
  readonly close: CloseCalls;
  readonly confirmation: Confirmation;
  /** Of the answer; null without a test part. */
  readonly testAccuracy: number | null;
}

/** Describes a finished search as in `schemas/result.schema.json`. */
export function describeSearch(
  state: SearchState,
  found: Findings,
  session: Session,
  { identity }: TaskHost,
): SearchResult {
  const { scores, confirmation, testAccuracy } = found;
  const { workspace, plan, algorithm } = session;
  const { config, images } = workspace;
  const [best] = scores;
  const { time } = state;
  const { board, activity } = algorithm.describe(state.own, scores);
  return parseResult(
    {
      format: 'nni-cream-result/2',
      algorithm: config.algorithm,
      objective: { metric: 'top1', mode: 'maximize' },
      space: describeSpace(workspace),
      best: describeBest(best, workspace),
      selection: describeSelection(found, session),
      confirmation: describeConfirmation(confirmation),
      verdict: confirmation.verdict && { ...confirmation.verdict },
      ranking: rankingRows(scores, workspace),
      board: boardRows(board, scores, workspace),
      baselines: { randomPaths: describeRandom(confirmation.random) },
      testAccuracy,
      normalisation: {
        mean: [...images.normalisation.mean],
        deviation: [...images.normalisation.std],
      },
      data: describeData(config.data.path, images),
      feasibility: describeFeasibility(workspace.feasibility),
      activity: { ...activity },
      costShares: {
        evaluation: time.evaluationMs / time.trainingMs,
        dataWait: time.dataWaitMs / time.trainingMs,
      },
      provenance: {
        seed: config.seed,
        epochs: plan.epochs,
        trialId: identity.trialJobId,
        experimentId: identity.experimentId,
        versions: versionsOf(workspace.supernet),
      },
    } satisfies SearchResult,
    'result.json',
  );
}

/** The result in one line of the log. */
export function summaryLine(
  state: SearchState,
  result: SearchResult,
  { workspace, algorithm }: Session,
): string {
  const { best, confirmation, costShares, selection, data } = result;
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
  const verdict = verdictLine(result);
  const { summary } = algorithm.describe(state.own, []);
  return [
    `answer ${best.path}: ${best.macs} MACs, files in ${workspace.output}`,
    `selection by ${selection.strategy} out of ${selection.scored} scored paths: accuracy ${best.score.toFixed(4)} on ${data.rankingImages} images`,
    ...(confirmation.images === 0
      ? []
      : [
          `confirmation: accuracy ${confirmation.accuracy.toFixed(4)} on ${confirmation.images} images`,
        ]),
    ...(verdict === null ? [] : [verdict]),
    ...closeCallLines(selection),
    ...(summary === '' ? [] : [summary]),
    `of the training time ${percent(costShares.evaluation)} measurements, ${percent(costShares.dataWait)} waits for data`,
  ].join('; ');
}

function describeSelection(
  { scores, close }: Findings,
  { workspace, strategy }: Session,
): SearchResult['selection'] {
  return {
    strategy,
    scoreBy: workspace.config.scoreBy,
    scored: scores.length,
    ties: namesOf(close.ties, workspace),
    withinNoise: namesOf(close.withinNoise, workspace),
  };
}

function describeConfirmation({ images, answer }: Confirmation): SearchResult['confirmation'] {
  const { accuracy, crossEntropy } = answer;
  return { images, accuracy, crossEntropy };
}

function namesOf(paths: readonly Path[], { space }: Workspace): string[] {
  return paths.map((path) => pathText(space, path));
}

function describeBest(
  { path, accuracy: score, crossEntropy }: Score,
  { space }: Workspace,
): SearchResult['best'] {
  const { macs, params } = pathCost(space, path);
  const [sample, text] = [pathSample(space, path), pathText(space, path)];
  return { sample, path: text, score, crossEntropy, macs, params };
}

function describeSpace({ space, config }: Workspace): SearchResult['space'] {
  return {
    name: space.name,
    labels: space.choices.length,
    sha256: spaceSha256(space),
    macs: { min: config.minMacs, max: config.maxMacs ?? null, counting: 'conv+linear MACs' },
    params: { min: config.minParams, max: config.maxParams ?? null },
  };
}

function rankingRows(scores: readonly Score[], { space }: Workspace): SearchResult['ranking'] {
  return scores.slice(0, LISTED).map(({ path, accuracy, crossEntropy }, i) => {
    const { macs, params } = pathCost(space, path);
    const text = pathText(space, path);
    return { rank: i + 1, score: accuracy, crossEntropy, macs, params, path: text };
  });
}

function boardRows(
  board: readonly KeptPath[],
  scores: readonly Score[],
  { space }: Workspace,
): SearchResult['board'] {
  return board.flatMap(({ path, facts }) => {
    const index = scores.findIndex((score) => isSamePath(score.path, path));
    const score = scores[index];
    if (score === undefined) return [];
    const { macs, params } = pathCost(space, path);
    const [sample, text] = [pathSample(space, path), pathText(space, path)];
    return { rank: index + 1, score: score.accuracy, ...facts, macs, params, sample, path: text };
  });
}

function describeRandom(random: readonly Score[]): SearchResult['baselines']['randomPaths'] {
  const n = random.length;
  if (n === 0) return null;
  const accuracies = random.map(({ accuracy }) => accuracy);
  return {
    n,
    mean: mean(accuracies),
    standardError: n === 1 ? 0 : standardError(accuracies),
    max: Math.max(...accuracies),
  };
}

function describeData(path: string, { dataset, split }: Images): SearchResult['data'] {
  return {
    path,
    classes: [...dataset.classes],
    trainImages: split.training.length,
    boardImages: split.board.length,
    metaImages: split.meta.length,
    rankingImages: split.ranking.length,
    confirmationImages: split.confirmation.length,
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
