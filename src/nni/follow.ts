import type { Timers } from '../foundation/timers.ts';
import type { Manager, Metric, TrialJob } from './manager.ts';

/** States of an experiment in which nothing more will happen. */
const ENDED = ['DONE', 'ERROR', 'STOPPING', 'STOPPED'];

/** How an experiment ended. */
export interface Outcome {
  readonly status: string;
  /** The manager's own errors. */
  readonly errors: readonly string[];
  readonly trials: readonly TrialJob[];
}

/** How to follow an experiment. */
export interface FollowOptions {
  readonly print: (line: string) => void;
  readonly pollMs: number;
  readonly timers: Timers;
}

/** Prints each trial's states and reports as they come, until the experiment has ended. */
export async function followExperiment(
  manager: Manager,
  { print, pollMs, timers }: FollowOptions,
): Promise<Outcome> {
  const printed = new Set<string>();
  for (;;) {
    // The status is asked first: what it calls ended is complete in the answers that follow.
    const { status, errors } = await manager.status();
    const trials = await manager.trials();
    const metrics = await manager.metrics();
    for (const line of trials.flatMap((trial) => describeTrial(trial, metrics))) {
      if (!printed.has(line)) print(line);
      printed.add(line);
    }
    if (ENDED.includes(status)) return { status, errors, trials };
    await timers.sleep(pollMs);
  }
}

/** All that happened to a trial, oldest first; lines that were once there stay the same. */
function describeTrial(trial: TrialJob, metrics: readonly Metric[]): string[] {
  const name = `trial ${trial.id}`;
  const reports = metrics
    .filter(({ trialId, type }) => trialId === trial.id && type === 'PERIODICAL')
    .map((metric) => `${name}  ${describeMetric(metric)}`);
  const started = trial.status === 'WAITING' ? [] : [`${name}  RUNNING`];
  const ended = ['WAITING', 'RUNNING'].includes(trial.status) ? [] : [`${name}  ${trial.status}`];
  return [...started, ...reports, ...ended];
}

/** The numbers that every run has, then those that its algorithm or task declares. */
function describeMetric({
  sequence,
  values: { default: accuracy, loss, ...others },
}: Metric): string {
  const known = { accuracy, loss };
  return [
    `epoch ${sequence + 1}`,
    ...Object.entries(known).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${value.toFixed(3)}`],
    ),
    ...Object.entries(others)
      .filter(([name, value]) => value !== 0 || !name.startsWith('skipped'))
      .map(([name, value]) => `${name} ${shortText(value)}`),
  ].join('  ');
}

function shortText(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(4)));
}
