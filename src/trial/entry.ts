/** The process that NNI launches: ask NNI for the parameters, run the task, report to NNI. */

import { messageOf, TrialError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Timers } from '../foundation/timers.ts';
import type { PresentPolicy } from '../run-folder/output.ts';
import type { TaskResult } from '../tasks/run.ts';
import type { TaskHost, TaskRequest } from '../tasks/task.ts';
import type { Emit } from '../training/events.ts';
import { selectChannel } from './channel/select.ts';
import type { LineWriter } from './channel/stdout.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { watchParents } from './process/parent.ts';
import { installSignalHandlers, type Shutdown, type SignalTarget } from './process/shutdown.ts';
import { createTrialLog } from './trial-log.ts';

/** The process around a trial. */
export interface Host {
  readonly variables: Record<string, string | undefined>;
  readonly stdout: LineWriter;
  readonly stderr: { write(text: string): unknown; readonly isTTY: boolean };
  readonly process: SignalTarget;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly timers: Timers;
  readonly memory: TaskHost['memory'];
}

/** What the command line says. */
export interface TrialOptions {
  readonly configFile: string;
  /** Folder of the results if NNI names none; precedes the config's. */
  readonly output?: string | undefined;
  /** Replace config values, by dotted key. */
  readonly overrides?: TaskRequest['overrides'];
  /** Replace NNI's parameters: those of a search that is resumed without NNI. */
  readonly parameters?: TaskRequest['parameters'] | undefined;
  /** How to treat existing content of the folder; the default depends on whether NNI runs the trial. */
  readonly present?: PresentPolicy | undefined;
  readonly progress: (logger: Logger) => Emit;
}

/** Runs one trial. Resolves when NNI has the final result and all files are written. */
export async function runTrial(options: TrialOptions, host: Host): Promise<TaskResult> {
  const environment = readEnvironment(host.variables);
  const logger = createTrialLog({
    directory: environment.outputDirectory,
    mirror: host.stderr,
    now: host.now,
  });
  const hasTerminal = host.stderr.isTTY;
  const { timers } = host;
  const shutdown = installSignalHandlers(host.process, { logger, timers, hasTerminal });
  const stopWatching = endWithManager(environment, host, shutdown);
  const run = runUntilShutdown(options, { ...host, environment, logger, shutdown });
  shutdown.onShutdown(async () => {
    await run.catch(() => undefined);
  });
  try {
    return await run;
  } finally {
    stopWatching();
    shutdown.dispose();
  }
}

/** Ends a trial with the local NNI manager that started it. */
function endWithManager(environment: Environment, host: Host, shutdown: Shutdown): () => void {
  const { channel, platform, trialJobId } = environment;
  if (channel.kind !== 'http' || platform !== 'local') return () => undefined;
  return watchParents({
    trialJobId,
    parent: host.process.ppid,
    timers: host.timers,
    onGone: (who) => {
      shutdown.request('SIGTERM', `${who} has ended`);
    },
  });
}

interface TrialContext extends Host {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly shutdown: Shutdown;
}

async function runUntilShutdown(
  options: TrialOptions,
  { environment, logger, shutdown, ...host }: TrialContext,
): Promise<TaskResult> {
  const { stdout, timers } = host;
  const channel = await selectChannel(environment, { logger, stdout, timers });
  shutdown.onShutdown(() => channel.close());
  try {
    // NNI 3.0 serves records in the order of requests: ask before loading anything slow.
    const [{ parameterId, parameters }, { runTask }, { connect }] = await Promise.all([
      channel.receiveParameters(),
      import('../tasks/run.ts'),
      import('./connection.ts'),
    ]);
    const source = { parameterId, trialJobId: environment.trialJobId };
    const isStandalone = environment.channel.kind === 'standalone';
    const { variables, clock, now, memory } = host;
    const progress = options.progress(logger);
    return await runTask(
      {
        configFile: options.configFile,
        parameters: options.parameters ?? parameters,
        overrides: options.overrides ?? {},
        output: environment.outputDirectory ?? options.output,
        present: options.present ?? (isStandalone ? 'refuse-result' : 'complete'),
      },
      {
        identity: environment,
        connect: (folder) => connect(folder, { ...source, channel, logger, timers, now }, progress),
        logger,
        clock,
        now,
        variables,
        memory,
        shutdown,
      },
    );
  } catch (thrown) {
    // Without an opened outbox nothing else closes the channel.
    await channel.close();
    if (thrown !== shutdown.signal.reason) noteFailure(thrown, environment, host.now);
    throw thrown;
  }
}

/** Logs a failure for NNI's web UI, which shows trial.log. The caller prints it. */
function noteFailure(
  thrown: unknown,
  { outputDirectory: directory }: Environment,
  now: () => Date,
): void {
  createTrialLog({ directory, mirror: null, now }).log('error', failureText(thrown));
}

/** Text of a documented error, or the stack of a defect. */
function failureText(thrown: unknown): string {
  if (thrown instanceof TrialError) return `${thrown.code}: ${thrown.message}`;
  return (thrown instanceof Error ? thrown.stack : undefined) ?? messageOf(thrown);
}
