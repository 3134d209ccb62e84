import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { Timers } from '../foundation/timers.ts';
import { connectManager, type Manager } from './manager.ts';

/** A running experiment. */
export interface Experiment {
  readonly id: string;
  readonly manager: Manager;
  readonly stop: () => Promise<void>;
  /** Writes all trials with all their reports to a file. */
  readonly exportTo: (file: string, type: 'csv' | 'json') => Promise<void>;
}

/** What `nnictl create` needs to know. */
export interface ExperimentPlan {
  /** The environment that {@link ensurePythonEnvironment} made. */
  readonly pythonFolder: string;
  /** NNI's experiment file. */
  readonly config: string;
  /** Port of the web UI and of the REST API. */
  readonly port: number;
  /** Environment of the manager and so of its trials; NNI keeps its records under its HOME. */
  readonly env: NodeJS.ProcessEnv;
  readonly timers: Timers;
}

/**
 * Starts an experiment that goes on when this process ends.
 *
 * @throws TrialError PORT_IN_USE, or NNI_UNAVAILABLE when nnictl refuses.
 */
export function createExperiment(plan: ExperimentPlan): Promise<Experiment> {
  return launch(plan, ['create', '--config', plan.config]);
}

/**
 * Goes on with an experiment that was stopped: NNI runs its unfinished trials again.
 *
 * @throws TrialError PORT_IN_USE, or NNI_UNAVAILABLE when nnictl refuses.
 */
export function resumeExperiment(plan: ExperimentPlan, id: string): Promise<Experiment> {
  return launch(plan, ['resume', id]);
}

async function launch(plan: ExperimentPlan, command: readonly string[]): Promise<Experiment> {
  const { pythonFolder, port } = plan;
  await requireFreePort(port);
  const env = managerEnvironment(plan.env);
  const nnictl = (args: readonly string[]): Promise<void> =>
    runNnictl(join(pythonFolder, 'bin/nnictl'), args, env);
  await nnictl([...command, '--port', String(port)]);
  const manager = connectManager({ url: `http://127.0.0.1:${port}`, timers: plan.timers });
  const { id } = await manager.experiment();
  return {
    id,
    manager,
    stop: () => nnictl(['stop', id]),
    exportTo: (file, type) =>
      nnictl(['experiment', 'export', id, '--type', type, '--filename', file, '--intermediate']),
  };
}

/**
 * NNI's manager ends at once, without a word, where npm_lifecycle_event says that a script whose
 * name begins with `test` runs. Trials are launched as `node`: let that be the one that runs this.
 */
function managerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), env['PATH']].join(delimiter);
  return { ...env, npm_lifecycle_event: '', PATH: path };
}

async function runNnictl(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  try {
    await promisify(execFile)(command, args, { env });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const lines = stripVTControlCharacters(stdout + stderr)
      .trim()
      .split('\n');
    const said = lines.find((line) => line.includes('ERROR: ')) ?? lines.at(-1) ?? '';
    throw new TrialError(
      'NNI_UNAVAILABLE',
      {
        where: ['nnictl', ...args].join(' '),
        wanted: 'it to succeed',
        found: said === '' ? messageOf(error) : said,
        next: 'Correct what it names. If NNI itself is broken, remove .python and repeat the command.',
      },
      error,
    );
  }
}

/** @throws TrialError PORT_IN_USE */
export async function requireFreePort(port: number): Promise<void> {
  if ((await listenOn(port)) !== null) return;
  throw new TrialError('PORT_IN_USE', {
    where: `port ${port}`,
    wanted: 'a free port for the web UI',
    found: 'another program, perhaps an earlier experiment, that listens there',
    next: `Take another one: npm start -- --port ${await freePort()}; or stop the experiments: .python/bin/nnictl stop --all.`,
  });
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  return (await listenOn(0)) ?? freePort();
}

/** Listens for a moment on all addresses, as the manager will; gives the port, or null if taken. */
async function listenOn(port: number): Promise<number | null> {
  const server = createServer();
  try {
    await once(server.listen(port), 'listening');
    return (server.address() as AddressInfo).port;
  } catch {
    return null;
  } finally {
    server.close();
  }
}
