/** Prepares the training of a search: plan, algorithm, selection and initial state. */

import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import type { CheckpointRun } from '../generated/checkpoint.ts';
import { Saver } from '../run-folder/checkpoint/saver.ts';
import { findStart } from '../run-folder/checkpoint/start.ts';
import { throwAway, throwRecordsAway, throwScoresAway } from '../run-folder/output.ts';
import { openScores } from '../run-folder/scores.ts';
import type { Path } from '../searchspace/space.ts';
import { Scorer } from '../selection/scorer.ts';
import { restoreSnapshot } from '../training/snapshot.ts';
import { initialState, type SearchState } from '../training/state.ts';
import { coveringPaths, warmUpStep } from '../training/warm-up.ts';
import { mathematicsOf } from './identity.ts';
import { warnOfLargeStep } from './memory.ts';
import { planSearch, type SearchPlan } from './search-plan.ts';
import { spaceSha256 } from './space-files.ts';
import type { TaskHost } from './task.ts';
import { pauseFor, versionsOf, type Workspace } from './workspace.ts';

/** All that training and selection need. */
export interface Session extends SearchPlan {
  readonly workspace: Workspace;
  readonly scorer: Scorer;
}

/** Makes the plan, the algorithm and the selection of a config, which the workspace has checked. */
export function openSession(workspace: Workspace, { logger }: TaskHost): Session {
  const { config, space, sampling, images, supernet, output } = workspace;
  const { classes, train } = images.dataset;
  const planned = planSearch(config, space, { classes, trainImages: train.count }, sampling);
  const cache = openScores(output, logger);
  const { scoreBy } = config;
  const { weightOf } = planned.plan.optimizer;
  const scorer = new Scorer({ supernet, heldOut: images.heldOut, cache, scoreBy, weightOf });
  return { workspace, scorer, ...planned };
}

/** The initial state of a search. */
export interface Start {
  readonly start: SearchState;
  readonly saver: Saver<unknown>;
}

/**
 * Creates or restores the initial state, and saves it in the search's folder.
 *
 * @throws TrialError CHECKPOINT_INVALID, CHECKPOINT_MISMATCH, NOTHING_TO_RESUME
 */
export async function startOrGoOn(session: Session, host: TaskHost): Promise<Start> {
  const { workspace, plan, algorithm } = session;
  const { config, output, request, supernet } = workspace;
  const { logger } = host;
  const { resumeFrom } = config;
  const isNew = request.present === 'throw-away';
  if (isNew && resumeFrom !== undefined) refuseOwnFolder(resumeFrom, output);
  const run = describeRun(session);
  const found = await findStart({ output: isNew ? null : output, resumeFrom, run, logger });
  await warmUp(session, host);
  const owner = { supernet, algorithm, plan };
  const start =
    found === null
      ? initialState(supernet, algorithm.initialState())
      : restoreSnapshot(found.checkpoint.snapshot, owner);
  const { clock, now } = host;
  const { signal } = host.shutdown;
  const schedule = config.checkpoint;
  const saver = new Saver({ output, schedule, run, owner, clock, now, logger, signal }, start);
  if (found?.isOwn === true) return { start, saver };
  // Only after everything that a mistake in the config could break.
  if (isNew) await throwAway(output);
  else if (request.present === 'refuse-result') await throwRecordsAway(output);
  else await throwScoresAway(output); // what NNI has been told stays
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

/** Takes warm-up steps, which change nothing, to find errors early. */
async function warmUp({ workspace, plan }: Session, host: TaskHost): Promise<void> {
  const { config, feasibility, supernet } = workspace;
  const { batchSize } = plan;
  const tryStep = async (path: Path, images: number): Promise<void> => {
    await pauseFor(host);
    warmUpStep(supernet, path, images);
  };
  const largest = feasibility.largest.path;
  if (config.engine !== 'js') {
    const { memory, logger } = host;
    await warnOfLargeStep((images) => tryStep(largest, images), { batchSize, memory, logger });
  }
  for (const path of [largest, ...coveringPaths(supernet)]) await tryStep(path, batchSize);
}

/** Describes this search for its checkpoints. */
function describeRun({ workspace, plan, algorithm }: Session): CheckpointRun {
  const { request, config, space, images, supernet } = workspace;
  const { dataset } = images;
  const { settings } = algorithm;
  return {
    configFile: resolve(request.configFile),
    parameters: { ...request.parameters },
    engine: config.engine,
    totalSteps: plan.totalSteps,
    stepsPerEpoch: plan.stepsPerEpoch,
    mathematics: mathematicsOf({
      config,
      plan,
      settings,
      spaceSha256: spaceSha256(space),
      dataset,
    }),
    circumstances: {
      ...versionsOf(supernet),
      threads: config.threads ?? availableParallelism(),
      processor: cpus()[0]?.model ?? 'unknown',
    },
    badSamples: [...dataset.skipped],
  };
}
