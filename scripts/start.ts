import { relative } from 'node:path';
import { systemTimers } from '../src/cli/system.ts';
import { createExperiment, requireFreePort } from '../src/nni/experiment.ts';
import { followExperiment } from '../src/nni/follow.ts';
import { prepare, type Setup, setupLogger } from './setup/prepare.ts';
import { parseStartArguments } from './start/arguments.ts';
import { countClasses, obtainData } from './start/data.ts';
import { writeExperiment } from './start/experiment-files.ts';
import { describeOutcome } from './start/summary.ts';

const POLL_MS = 2000;

/**
 * `npm start`: set-up, data, then a real NNI experiment that is followed to its end and stays
 * viewable after it. Returns the exit code.
 */
export async function start(setup: Setup): Promise<number> {
  const { root } = setup;
  const { data, port } = parseStartArguments(setup.args);
  await requireFreePort(port);

  const pythonFolder = await prepare(setup);
  const path = await obtainData(root, data, setupLogger);
  const config = writeExperiment(root, { path, classes: await countClasses(path) });
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
  print('', ...describeOutcome(outcome), ...farewell);
  return outcome.trials.every(({ status }) => status === 'SUCCEEDED') ? 0 : 1;
}

function print(...lines: readonly string[]): void {
  console.log(lines.join('\n'));
}
