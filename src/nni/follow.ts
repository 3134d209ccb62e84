import { setTimeout as sleep } from 'node:timers/promises';
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
}

/** Prints each trial's states and reports as they come, until the experiment has ended. */
export async function followExperiment(
  manager: Manager,
  { print, pollMs }: FollowOptions,
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
    await sleep(pollMs);
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

function describeMetric({ sequence, values }: Metric): string {
  const fixed = (key: string, digits: number): string => (values[key] ?? NaN).toFixed(digits);
  return [
    `epoch ${sequence + 1}`,
    `accuracy ${fixed('default', 3)}`,
    `loss ${fixed('loss', 3)}`,
    `rho ${fixed('rho', 3)}`,
    `board mean ${fixed('boardMean', 3)}`,
    `${fixed('imagesPerSecond', 0)} images/s`,
  ].join('  ');
}
