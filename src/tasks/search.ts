/** One search from a config to the files that tell its result: the stages in their order. */

import { rm } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import packageFile from '../../package.json' with { type: 'json' };
import { formatBadSamples } from '../data/store/quarantine.ts';
import { openEngine } from '../engine/open.ts';
import { TrialError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { CheckpointRun } from '../generated/checkpoint.ts';
import type { SearchResult } from '../generated/result.ts';
import { feasibility, type Feasibility } from '../searchspace/feasibility.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { Supernet } from '../supernet/supernet.ts';
import { planSearch, type SearchPlan } from '../training/plan.ts';
import type { Clock, Reporter } from '../training/ports.ts';
import type { RankedPath } from '../training/ranking.ts';
import { restoreSnapshot } from '../training/snapshot.ts';
import { initialState, type SearchState } from '../training/state.ts';
import { rehearseStep } from '../training/student.ts';
import { prepareOutput, writeArtifacts } from '../run-folder/artifacts.ts';
import { writeAtomically } from '../foundation/atomic-file.ts';
import { mathematicsOf } from './identity.ts';
import { findStart } from '../run-folder/checkpoint/start.ts';
import { Saver } from '../run-folder/checkpoint/saver.ts';
import { applyParameters, checkPrior, parseTrialConfig, type TrialConfig } from './config.ts';
import { searchBytes } from '../run-folder/disk.ts';
import { readText } from '../foundation/documents.ts';
import { loadSearchSpace } from './space-files.ts';
import type { TrialIdentity } from '../foundation/trial-identity.ts';
import { openImages, type Images } from './images.ts';
import { acquireLock } from '../run-folder/lock.ts';
import { namingMemory } from './out-of-memory.ts';
import {
  BAD_SAMPLES_FILE,
  type PresentPolicy,
  refuseResult,
  throwAway,
  throwMetricsAway,
} from '../run-folder/output.ts';
import { describeResult, spaceSha256 } from '../run-folder/result.ts';
import { SIGNAL_TIMES } from '../foundation/signals.ts';
import { trainAndMeasure, type ProgressView } from './train.ts';
import { type MemoryReadings, warnOfLargeStep } from './memory.ts';

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
  readonly present: PresentPolicy;
  /** Opens the reporter once the folder is this run's own. */
  readonly openReporter: (output: string) => Promise<SettledReporter>;
  readonly progress: ProgressView;
  readonly environment: TrialIdentity;
  /** The process's own variables: the native library reads its settings from there. */
  readonly variables: Record<string, string | undefined>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly memory: MemoryReadings;
  /** Ends the run between two pieces of work. */
  readonly signal: AbortSignal;
  /** Leaves signals to their default action from now on, which ends the process at once. */
  readonly leaveSignals: () => void;
}

/** A reporter that can wait until all has arrived. */
export interface SettledReporter extends Reporter {
  /** @throws TrialError METRICS_UNDELIVERED */
  settle(): Promise<void>;
  /** Ends the delivery; afterwards the folder may be another process's. */
  close(): Promise<void>;
}

/** Where results go when nobody names a folder. */
const DEFAULT_OUTPUT = 'nni-cream-result';

/** Runs a search, from where an earlier process left it, and writes its files. */
export async function runSearch(options: RunOptions): Promise<SearchResult> {
  const { config, space } = await readConfig(options);
  const output = options.output ?? config.output ?? DEFAULT_OUTPUT;
  const owner = { command: `search of ${options.configFile}`, time: options.now() };
  const lock = await acquireLock(output, owner);
  try {
    if (options.present === 'refuse-result') await refuseResult(output);
    await prepareOutput(output, searchBytes(space, config));
    return await searchInFolder({ ...options, config, space, output });
  } catch (thrown) {
    throw namingMemory(thrown);
  } finally {
    await lock.release();
  }
}

interface FolderSearch extends RunOptions {
  readonly config: TrialConfig;
  readonly space: SearchSpace;
  readonly output: string;
}

async function searchInFolder(options: FolderSearch): Promise<SearchResult> {
  const { config, space, logger } = options;
  const budget = { minMacs: config.minMacs, maxMacs: config.maxMacs ?? Infinity };
  const report = feasibility(space, budget);
  logger.log('info', feasibilityLine(report));

  const images = await openRecordedImages(options);
  const plan = planSearch(
    { ...config, imagesPerEpoch: config.imagesPerEpoch ?? images.split.training.length },
    images.heldOut.board.count,
  );
  const supernet = await buildSupernet(config, space, options);
  try {
    return await searchWith({ ...options, feasibility: report, images, plan, supernet });
  } finally {
    supernet.dispose();
  }
}

interface PlannedSearch extends FolderSearch {
  readonly feasibility: Feasibility;
  readonly images: Images;
  readonly plan: SearchPlan;
  readonly supernet: Supernet;
}

async function searchWith(options: PlannedSearch): Promise<SearchResult> {
  const { space, output, logger, images, plan, supernet, feasibility: report } = options;
  const run = describeRun(options, { plan, images, supernet });
  const rehearsed = [report.largest.path, ...coveringPaths(space)] as const;
  const { start, saver } = await startOrGoOn({ ...options, run, rehearsed });
  const reporter = await options.openReporter(output);
  try {
    const measured = await trainAndMeasure({ ...options, reporter, start, saver });
    const versions = versionsOf(supernet);
    const result = describeResult({ ...options, ...measured, versions });
    const best = measured.outcome.ranking[0] as RankedPath;
    await writeArtifacts(output, result, { space, path: best.path });
    const trainingMs = measured.outcome.state.time.trainingMs - start.time.trainingMs;
    const saving = percent(saver.spentMs / Math.max(1, trainingMs));
    logger.log('info', `${summaryLine(result, output)}, checkpoints ${saving}`);
    await reporter.settle();
    return result;
  } finally {
    await reporter.close();
  }
}

interface StartOptions extends PlannedSearch {
  readonly run: CheckpointRun;
  /** Paths that take a step before anything is trained: what does not fit into memory fails early. */
  readonly rehearsed: readonly [largest: Path, ...Path[]];
}

/** The state that the search begins with, saved in its folder. */
async function startOrGoOn(
  options: StartOptions,
): Promise<{ readonly start: SearchState; readonly saver: Saver }> {
  const { config, output, present, run, logger, plan, supernet } = options;
  const { resumeFrom } = config;
  const isNew = present === 'throw-away';
  if (isNew && resumeFrom !== undefined) refuseOwnFolder(resumeFrom, output);
  const found = await findStart({ output: isNew ? null : output, resumeFrom, run, logger });
  await rehearse(options);
  const start =
    found === null
      ? initialState(supernet, plan)
      : restoreSnapshot(found.checkpoint.snapshot, supernet, plan);
  const saver = new Saver({ ...options, schedule: config.checkpoint }, start);
  if (found?.isOwn === true) return { start, saver };
  // Not before all that a mistake in the config could make fail has been tried.
  if (isNew) await throwAway(output);
  else if (present === 'refuse-result') await throwMetricsAway(output);
  await saver.save(start);
  return { start, saver };
}

function refuseOwnFolder(resumeFrom: string, output: string): void {
  if (resolve(resumeFrom) !== resolve(output)) return;
  throw new TrialError('CONFIG_INVALID', {
    where: 'resumeFrom',
    wanted: 'another folder than the one that --overwrite empties',
    found: resumeFrom,
    next: 'Leave --overwrite out, or name another output folder',
  });
}

/** Takes steps that leave nothing behind, for errors that are better early. */
async function rehearse(options: StartOptions): Promise<void> {
  const { config, supernet, plan, rehearsed, logger, memory, signal } = options;
  const { batchSize } = plan;
  const tryStep = async (path: Path, images: number): Promise<void> => {
    await nextTurn();
    signal.throwIfAborted();
    rehearseStep(supernet, path, images);
  };
  if (config.engine !== 'js') {
    await warnOfLargeStep((images) => tryStep(rehearsed[0], images), {
      batchSize,
      memory,
      logger,
    });
  }
  for (const path of rehearsed) await tryStep(path, batchSize);
}

async function readConfig({
  configFile,
  parameters,
  engine,
}: RunOptions): Promise<{ config: TrialConfig; space: SearchSpace }> {
  const file = parseTrialConfig(await readText(configFile), configFile);
  const space = await loadSearchSpace(file);
  const labels = space.choices.map(({ name }) => name);
  const config = applyParameters(file, parameters, labels);
  checkPrior(space, config.prior);
  return { config: { ...config, engine: engine ?? config.engine }, space };
}

/** Opens the images and writes down which of them cannot be used. */
async function openRecordedImages({
  config,
  space,
  output,
  logger,
}: FolderSearch): Promise<Images> {
  const images = await openImages(config, space, logger);
  const { skipped } = images.dataset;
  const file = join(output, BAD_SAMPLES_FILE);
  if (skipped.length > 0) await writeAtomically(file, formatBadSamples(skipped));
  else await rm(file, { force: true });
  return images;
}

async function buildSupernet(
  { engine, threads, seed }: TrialConfig,
  space: SearchSpace,
  { variables, logger, leaveSignals }: RunOptions,
): Promise<Supernet> {
  // Its steps may take minutes, in which JavaScript hears nothing, and no thread looks after signals.
  if (engine === 'js') leaveSignals();
  const choice = engine === 'native' ? 'cpu' : engine;
  const opened = await openEngine({
    engine: choice,
    environment: variables,
    threads,
    signals: SIGNAL_TIMES,
  });
  logger.log('info', `engine: ${opened.version}`);
  return new Supernet(opened, space, seed);
}

/** What its checkpoints say of this search. */
function describeRun(
  { config, configFile, parameters, space }: FolderSearch,
  { plan, images, supernet }: { plan: SearchPlan; images: Images; supernet: Supernet },
): CheckpointRun {
  const { totalSteps, stepsPerEpoch } = plan;
  return {
    configFile: resolve(configFile),
    parameters: { ...parameters },
    engine: config.engine,
    totalSteps,
    stepsPerEpoch,
    mathematics: mathematicsOf({ config, plan, images, spaceSha256: spaceSha256(space) }),
    circumstances: {
      ...versionsOf(supernet),
      threads: config.threads ?? availableParallelism(),
      processor: cpus()[0]?.model ?? 'unknown',
    },
    badSamples: [...images.dataset.skipped],
  };
}

function versionsOf({ engine }: Supernet): Record<string, string> {
  return {
    'nni-cream': packageFile.version,
    node: process.version,
    engine: engine.version,
  };
}

/** Few paths that together take every candidate of every block: each shape is met once. */
function coveringPaths({ choices }: SearchSpace): Path[] {
  const most = Math.max(...choices.map(({ candidates }) => candidates.length));
  return Array.from({ length: most }, (_, index) =>
    choices.map(({ candidates }) => Math.min(index, candidates.length - 1)),
  );
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
