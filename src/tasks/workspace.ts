/** What every task works on: config, space, images and supernet, and a locked folder. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import packageFile from '../../package.json' with { type: 'json' };
import { formatBadSamples } from '../data/store/quarantine.ts';
import { openEngine } from '../engine/open.ts';
import { writeAtomically } from '../foundation/atomic-file.ts';
import { readText } from '../foundation/documents.ts';
import { checkDisk, searchBytes } from '../run-folder/disk.ts';
import { acquireLock } from '../run-folder/lock.ts';
import { ARCHITECTURE_FOLDER, prepareOutput } from '../run-folder/artifacts.ts';
import { BAD_SAMPLES_FILE, refuseResult } from '../run-folder/output.ts';
import { feasibility, type Feasibility } from '../searchspace/feasibility.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { Supernet } from '../supernet/supernet.ts';
import { SIGNAL_TIMES } from '../foundation/signals.ts';
import { applyParameters, changeConfig, parseTrialConfig, type TrialConfig } from './config.ts';
import { openImages, type Images } from './images.ts';
import { namingMemory } from './out-of-memory.ts';
import { planSearch, samplingOf } from './search-plan.ts';
import { loadSearchSpace } from './space-files.ts';
import type { TaskHost, TaskRequest } from './task.ts';

/** An opened workspace. */
export interface Workspace {
  readonly request: TaskRequest;
  readonly config: TrialConfig;
  readonly space: SearchSpace;
  /** Budget and prior of drawn paths. */
  readonly sampling: SamplerOptions;
  readonly feasibility: Feasibility;
  readonly images: Images;
  /** With its initial weights. */
  readonly supernet: Supernet;
  /** Folder of the results; locked. */
  readonly output: string;
}

/** Default folder of results. */
const DEFAULT_OUTPUT = 'nni-cream-result';

/** Reads the config of a request, and the space that it names. */
export async function readRequest({
  configFile,
  parameters,
  overrides,
}: TaskRequest): Promise<{ config: TrialConfig; space: SearchSpace }> {
  const file = parseTrialConfig(await readText(configFile), configFile);
  const space = await loadSearchSpace(file);
  const labels = space.choices.map(({ name }) => name);
  const tuned = applyParameters(file, parameters, labels);
  return { config: changeConfig(tuned, overrides, 'the command line'), space };
}

/** Opens the workspace of a request, does the work in it, and closes it. */
export async function openWorkspace<T>(
  request: TaskRequest,
  host: TaskHost,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const { config, space } = await readRequest(request);
  const output = request.output ?? config.output ?? DEFAULT_OUTPUT;
  const command = `${config.task} of ${request.configFile}`;
  const lock = await acquireLock(output, { command, time: host.now() });
  try {
    if (request.present === 'refuse-result') await refuseResult(output);
    const hasAnswer = ['search', 'select'].includes(config.task);
    await prepareOutput(output, hasAnswer ? [ARCHITECTURE_FOLDER] : []);
    return await workIn({ request, config, space, output }, host, work);
  } catch (thrown) {
    throw namingMemory(thrown);
  } finally {
    await lock.release();
  }
}

async function workIn<T>(
  opened: Pick<Workspace, 'request' | 'config' | 'space' | 'output'>,
  host: TaskHost,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const { config, space, output } = opened;
  const sampling = samplingOf(config, space);
  const report = feasibility(space, sampling.budget, sampling.prior);
  host.logger.log('info', feasibilityLine(report));
  const images = await openImages(config, space, host.logger);
  await recordBadSamples(output, images);
  if (config.task === 'search') await checkSearch({ ...opened, sampling }, images);
  const supernet = await buildSupernet(config, space, host);
  try {
    return await work({ ...opened, sampling, feasibility: report, images, supernet });
  } finally {
    supernet.dispose();
  }
}

/**
 * Tells before the engine is loaded what would end a search.
 *
 * @throws TrialError CONFIG_INVALID as {@link planSearch} does.
 * @throws TrialError FILE_UNWRITABLE when the disk has too little room.
 */
async function checkSearch(
  { config, space, sampling, output }: Pick<Workspace, 'config' | 'space' | 'sampling' | 'output'>,
  { dataset: { classes, train } }: Images,
): Promise<void> {
  const { algorithm, plan } = planSearch(
    config,
    space,
    { classes, trainImages: train.count },
    sampling,
  );
  await checkDisk(
    output,
    searchBytes(space, {
      slots: plan.optimizer.slots.length,
      ownNumbers: algorithm.savedNumbers,
    }),
  );
}

/** Lets the process serve signals and connections; throws when it is to end. */
export async function pauseFor({ shutdown }: Pick<TaskHost, 'shutdown'>): Promise<void> {
  await nextTurn();
  shutdown.signal.throwIfAborted();
}

/** Versions that the numbers of a run depend on. */
export function versionsOf({ engine }: Supernet): Record<string, string> {
  return { 'nni-cream': packageFile.version, node: process.version, engine: engine.version };
}

/** Lists the unusable images in a file. */
async function recordBadSamples(output: string, { dataset: { skipped } }: Images): Promise<void> {
  const file = join(output, BAD_SAMPLES_FILE);
  if (skipped.length > 0) await writeAtomically(file, formatBadSamples(skipped));
  else await rm(file, { force: true });
}

async function buildSupernet(
  { engine, threads, seed, initialisation }: TrialConfig,
  space: SearchSpace,
  { variables, logger, shutdown }: TaskHost,
): Promise<Supernet> {
  // Its steps may block the event loop for minutes, and no thread watches signals.
  if (engine === 'js') shutdown.leaveSignals();
  const opened = await openEngine({
    engine: engine === 'native' ? 'cpu' : engine,
    environment: variables,
    threads,
    signals: SIGNAL_TIMES,
  });
  logger.log('info', `engine: ${opened.version}`);
  return new Supernet(opened, space, seed, initialisation);
}

function feasibilityLine(report: Feasibility): string {
  const { smallest, largest, params, share, shareInterval, exact } = report;
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
  const [low, high] = shareInterval.map(percent);
  const inside = exact ? percent(share) : `${low} to ${high} (95 % interval)`;
  return (
    `paths from ${smallest.macs} to ${largest.macs} MACs, ` +
    `${params[0]} to ${params[1]} parameters; ${inside} inside the budget`
  );
}
