/** One search from a config to the files that tell its result: the stages in their order. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import packageFile from '../../package.json' with { type: 'json' };
import { openEngine } from '../engine/open.ts';
import type { Logger } from '../foundation/logger.ts';
import { createRng } from '../foundation/rng.ts';
import type { SearchResult } from '../generated/result.ts';
import { samplePath } from '../search/sampler.ts';
import { pathCost } from '../searchspace/cost.ts';
import { feasibility, type Feasibility } from '../searchspace/feasibility.ts';
import { pathKey } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { Supernet } from '../supernet/supernet.ts';
import { search, type SearchOutcome } from '../training/loop.ts';
import { planSearch, type SearchPlan } from '../training/plan.ts';
import type { Clock, Reporter, SearchMetrics } from '../training/ports.ts';
import { measurePath, rankPaths, type RankedPath } from '../training/ranking.ts';
import type { SearchState } from '../training/state.ts';
import { rehearseStep } from '../training/student.ts';
import { prepareOutput, writeArtifacts } from './artifacts.ts';
import { applyParameters, checkPrior, parseTrialConfig, type TrialConfig } from './config.ts';
import { loadSearchSpace, readText } from './documents.ts';
import type { Environment } from './environment.ts';
import { openImages, openTrainingBatches, type Images } from './images.ts';
import { describeResult } from './result.ts';

/** What is shown of a run while it goes on. */
export interface ProgressView {
  start(plan: SearchPlan): void;
  step(state: SearchState): void;
  epoch(epoch: number, metrics: SearchMetrics): void;
  stop(): void;
}

/** What one run is given from outside. */
export interface RunOptions {
  /** Path of the config file. */
  readonly configFile: string;
  /** Values of the tuner, by dotted config key. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Takes the place of the config's engine. */
  readonly engine?: TrialConfig['engine'] | undefined;
  /** Folder of the results, before the config's; made if it is missing. */
  readonly output?: string | undefined;
  readonly reporter: Reporter;
  readonly progress: ProgressView;
  readonly environment: Pick<Environment, 'trialJobId' | 'experimentId'>;
  /** The process's own variables: the native library reads its settings from there. */
  readonly variables: Record<string, string | undefined>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Ends the run between two steps. */
  readonly signal: AbortSignal;
}

/** Where results go when nobody names a folder. */
const DEFAULT_OUTPUT = 'nni-cream-result';

/** Runs a search and writes its files. */
export async function runSearch(options: RunOptions): Promise<SearchResult> {
  const { logger } = options;
  const { config, space } = await readConfig(options);
  const output = options.output ?? config.output ?? DEFAULT_OUTPUT;
  await prepareOutput(output);
  const budget = { minMacs: config.minMacs, maxMacs: config.maxMacs ?? Infinity };
  const report = feasibility(space, budget);
  logger.log('info', feasibilityLine(report));

  const images = await openImages(config, space, logger);
  const plan = planSearch(
    { ...config, imagesPerEpoch: config.imagesPerEpoch ?? images.split.training.length },
    images.heldOut.board.count,
  );
  const supernet = await buildSupernet(config, space, options);
  for (const path of [report.largest.path, ...coveringPaths(space)]) {
    rehearseStep(supernet, path, plan.batchSize);
  }
  const { outcome, baseline, testAccuracy } = await trainAndMeasure({
    ...options,
    config,
    supernet,
    images,
    plan,
  });
  const result = describeResult({
    ...options,
    config,
    space,
    plan,
    images,
    outcome,
    baseline,
    testAccuracy,
    feasibility: report,
    versions: {
      'nni-cream': packageFile.version,
      node: process.version,
      engine: supernet.engine.version,
    },
  });
  await writeArtifacts(output, result, { space, path: (outcome.ranking[0] as RankedPath).path });
  logger.log('info', summaryLine(result, output));
  supernet.dispose();
  return result;
}

async function readConfig({
  configFile,
  parameters,
  engine,
}: RunOptions): Promise<{ config: TrialConfig; space: SearchSpace }> {
  const file = parseTrialConfig(await readText(configFile), configFile);
  const { choices } = await loadSearchSpace(file);
  const labels = choices.map(({ name }) => name);
  const config = applyParameters(file, parameters, labels);
  const space = await loadSearchSpace(config);
  checkPrior(space, config.prior);
  return { config: { ...config, engine: engine ?? config.engine }, space };
}

async function buildSupernet(
  { engine, threads, seed }: TrialConfig,
  space: SearchSpace,
  { variables, logger }: RunOptions,
): Promise<Supernet> {
  const choice = engine === 'native' ? 'cpu' : engine;
  const opened = await openEngine({ engine: choice, environment: variables, threads });
  logger.log('info', `engine: ${opened.version}`);
  return new Supernet(opened, space, seed);
}

interface Training extends RunOptions {
  readonly config: TrialConfig;
  readonly supernet: Supernet;
  readonly images: Images;
  readonly plan: SearchPlan;
}

interface Measured {
  readonly outcome: SearchOutcome;
  readonly baseline: readonly RankedPath[];
  readonly testAccuracy: number | null;
}

async function trainAndMeasure(training: Training): Promise<Measured> {
  const { supernet, images, plan, config, clock, signal, progress, reporter } = training;
  const macsOf = cachedMacs(supernet.space);
  const pause = async (): Promise<void> => {
    await nextTurn();
    signal.throwIfAborted();
  };
  const batches = openTrainingBatches(images, config, { ...plan, clock });
  progress.start(plan);
  try {
    const outcome = await search(supernet, {
      plan,
      batches,
      heldOut: images.heldOut,
      reporter: watched(reporter, progress),
      macsOf,
      clock,
      pause,
      onStep: (state) => {
        progress.step(state);
      },
    });
    const { calibration, ranking } = images.heldOut;
    const paths = baselinePaths(supernet.space, plan, { macsOf, count: config.baselinePaths });
    const baseline = await rankPaths(supernet, paths, {
      calibration,
      images: () => ranking,
      pause,
    });
    const best = (outcome.ranking[0] as RankedPath).path;
    const { test } = images;
    const testAccuracy =
      test && (await measurePath(supernet, best, { calibration, images: () => test, pause }));
    return { outcome, baseline, testAccuracy };
  } finally {
    progress.stop();
    await batches.close();
  }
}

/** Few paths that together take every candidate of every block: each shape is met once. */
function coveringPaths({ choices }: SearchSpace): Path[] {
  const most = Math.max(...choices.map(({ candidates }) => candidates.length));
  return Array.from({ length: most }, (_, index) =>
    choices.map(({ candidates }) => Math.min(index, candidates.length - 1)),
  );
}

/** A path's cost is asked for at every step: computed once. */
function cachedMacs(space: SearchSpace): (path: Path) => number {
  const known = new Map<string, number>();
  return (path) => {
    const key = pathKey(path);
    const macs = known.get(key) ?? pathCost(space, path).macs;
    known.set(key, macs);
    return macs;
  };
}

/** Random paths of the budget that the answer is compared with. */
function baselinePaths(
  space: SearchSpace,
  plan: SearchPlan,
  { macsOf, count }: { macsOf: (path: Path) => number; count: number },
): Path[] {
  return Array.from({ length: count }, (_, index) => {
    const rng = createRng({ seed: plan.seed, stream: 'baseline', step: 0, index });
    return samplePath(space, { ...plan, macsOf }, rng);
  });
}

/** A reporter whose epochs are shown too. */
function watched(reporter: Reporter, progress: ProgressView): Reporter {
  let epoch = 0;
  return {
    intermediate: async (metrics) => {
      progress.epoch(epoch++, metrics);
      await reporter.intermediate(metrics);
    },
    final: (metrics) => reporter.final(metrics),
  };
}

function feasibilityLine({ smallest, largest, share, shareInterval, exact }: Feasibility): string {
  const [low, high] = shareInterval.map(percent);
  const inside = exact ? percent(share) : `${low} to ${high} (95 % interval)`;
  return `paths from ${smallest.macs} to ${largest.macs} MACs; ${inside} inside the budget`;
}

function summaryLine({ best, activity, costShares }: SearchResult, output: string): string {
  const opened = activity.boardOpenedAtEpoch;
  return [
    `answer ${best.path}: accuracy ${best.score.toFixed(4)}, ${best.macs} MACs, files in ${output}`,
    opened === null ? 'the board stayed empty' : `the board opened in epoch ${opened + 1}`,
    `${activity.admissions} admissions, ${activity.metaSteps} meta steps`,
    `phi moved by ${percent(activity.phiChange)}`,
    `rho from ${activity.rhoMin.toFixed(3)} to ${activity.rhoMax.toFixed(3)}`,
    `admission took ${percent(costShares.admission)} of training, data ${percent(costShares.dataWait)}`,
  ].join('; ');
}

function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}
