/** The process that NNI launches: ask NNI for the parameters, run the task, report to NNI. */

import { join } from 'node:path';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Timers } from '../foundation/timers.ts';
import { History, UNDELIVERED_FILE } from '../run-folder/history.ts';
import type { PresentPolicy } from '../run-folder/output.ts';
import type { TaskResult } from '../tasks/run.ts';
import type { Connection, TaskHost, TaskRequest } from '../tasks/task.ts';
import { emitToAll, type Emit } from '../training/events.ts';
import { selectChannel } from './channel/select.ts';
import type { LineWriter } from './channel/stdout.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { type Outbox, openOutbox, type OutboxOptions } from './outbox.ts';
import { watchParents } from './process/parent.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { installSignalHandlers, type Shutdown, type SignalTarget } from './process/shutdown.ts';
import { createTrialLog } from './trial-log.ts';

/** Time for NNI to take the metrics of a finished task. */
const DELIVERY_LIMIT_MS = 60_000;

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
    const [{ parameterId, parameters }, { runTask }] = await Promise.all([
      channel.receiveParameters(),
      import('../tasks/run.ts'),
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

/** Opens the outbox of a folder. Events go to NNI and to the progress display. */
async function connect(
  folder: string,
  options: Omit<OutboxOptions, 'history'>,
  progress: Emit,
): Promise<Connection> {
  const history = await History.open(folder);
  const outbox = await openOutbox({ ...options, history });
  const reporter = createReporter({ outbox, history, source: options, now: options.now });
  return {
    emit: emitToAll(progress, reportTo(reporter)),
    settle: () => settle(outbox, folder),
    close: () => outbox.close(),
  };
}

/** Reports epochs and the answer to NNI. */
function reportTo(reporter: Reporter): Emit {
  return async (event) => {
    if (event.kind === 'epoch') await reporter.intermediate(event.metrics, event.epoch);
    if (event.kind === 'answer') await reporter.final(event.metrics);
  };
}

/** Waits for the delivery: a trial succeeds only if NNI has all of its metrics. */
async function settle(outbox: Outbox, folder: string): Promise<void> {
  const undelivered = await outbox.flush(DELIVERY_LIMIT_MS);
  if (undelivered === 0) return;
  throw new TrialError('METRICS_UNDELIVERED', {
    where: join(folder, UNDELIVERED_FILE),
    wanted: 'NNI to have all metrics of the finished task',
    found: `${undelivered} that it does not have, or not for sure`,
    next: `When the manager runs again: nni-cream replay ${folder}`,
  });
}

/** Text of a documented error, or the stack of a defect. */
function failureText(thrown: unknown): string {
  if (thrown instanceof TrialError) return `${thrown.code}: ${thrown.message}`;
  return (thrown instanceof Error ? thrown.stack : undefined) ?? messageOf(thrown);
}
