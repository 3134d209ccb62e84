import { join, relative, resolve } from 'node:path';
import { fetchData } from '../src/cli/data.ts';
import { ownMachine, proposalLines, proposeFor } from '../src/cli/init.ts';
import { writeExperiment, type ExperimentFiles } from '../src/cli/experiment-files.ts';
import { checkConfigFile } from '../src/cli/lint.ts';
import { describeOutcome } from '../src/cli/outcome.ts';
import { systemTimers } from '../src/cli/system.ts';
import { DATASET_NAMES } from '../src/data/obtain/names.ts';
import { createExperiment, requireFreePort } from '../src/nni/experiment.ts';
import { followExperiment } from '../src/nni/follow.ts';
import { prepare, type Setup, setupLogger } from './setup/prepare.ts';
import { parseStartArguments } from './start/arguments.mjs';

const POLL_MS = 2000;

/** Where the started experiment's files lie, in the project; written anew each time. */
const EXPERIMENT_FOLDER = '.cache/npm-start';

/**
 * `npm start`: data and their check, set-up, then a real NNI experiment that is followed to its end
 * and stays viewable after it. Returns the exit code.
 */
export async function start(setup: Setup): Promise<number> {
  const { data, port } = parseStartArguments(setup.args);
  await requireFreePort(port);
  const files = await prepareExperiment(setup.root, data);

  const pythonFolder = await prepare(setup);
  const config = files.experiment;
  const plan = { pythonFolder, config, port, env: process.env, timers: systemTimers };
  const experiment = await createExperiment(plan);

  const stop = `${relative(process.cwd(), pythonFolder)}/bin/nnictl stop ${experiment.id}`;
  const farewell = [`web UI        ${experiment.manager.url}`, `to stop it    ${stop}`];
  print(`experiment ${experiment.id}, Ctrl-C leaves it running`, ...farewell);
  process.once('SIGINT', () => {
    print('', 'The experiment goes on.', ...farewell);
    process.kill(process.pid, 'SIGINT');
  });

  const outcome = await followExperiment(experiment.manager, {
    print,
    pollMs: POLL_MS,
    timers: systemTimers,
  });
  print('', ...farewell, ...describeOutcome(outcome));
  return outcome.trials.every(({ status }) => status === 'SUCCEEDED') ? 0 : 1;
}

/**
 * Writes the experiment's files and checks them as the trial will.
 *
 * @param data - Null for the default images with the settings of `nni-config/trial.yml`.
 * @throws TrialError what the trial would end with before it trains.
 */
export async function prepareExperiment(
  root: string,
  data: string | null,
): Promise<ExperimentFiles> {
  const path = await obtainData(root, data);
  const { survey, proposal } = await proposeFor(path, ownMachine());
  if (data !== null) print(...proposalLines(proposal));
  const files = await writeExperiment(join(root, EXPERIMENT_FOLDER), {
    data: path,
    classes: survey.classes.length,
    proposal: data === null ? null : proposal,
  });
  const { warnings } = await checkConfigFile(files.config);
  for (const warning of warnings) setupLogger.log('warning', `data: ${warning}`);
  return files;
}

/** A path, or a data set that is fetched: by its name, or the default one. */
async function obtainData(root: string, wanted: string | null): Promise<string> {
  const name = DATASET_NAMES.find((known) => known === wanted) ?? null;
  if (wanted !== null && name === null) return resolve(wanted);
  return fetchData({ name, into: join(root, '.cache/data') }, setupLogger);
}

function print(...lines: readonly string[]): void {
  console.log(lines.join('\n'));
}
