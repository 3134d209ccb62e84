import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { createExperiment, type Experiment, freePort } from '../../scripts/nni/experiment.ts';

/** An experiment of one test. */
export interface TestExperiment {
  /** How many trials run, and how many of them at a time. */
  readonly trials: number;
  readonly concurrency: number;
  /** NNI's search space. */
  readonly searchSpace: object;
  /** The trial's config; relative paths in it start at the project. */
  readonly trialConfig: object;
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nni-cream-e2e-'));
  t.after(() => {
    rmSync(folder, { recursive: true, maxRetries: 5 });
  });
  return folder;
}

/** Starts a real NNI experiment in a HOME of its own; it is stopped after the test. */
export async function startExperiment(t: TestContext, plan: TestExperiment): Promise<Experiment> {
  const folder = temporaryFolder(t);
  const home = join(folder, 'home');
  mkdirSync(home);
  writeFileSync(join(folder, 'trial.yml'), stringify(plan.trialConfig));
  writeFileSync(join(folder, 'experiment.yml'), stringify(experimentFile(plan, folder)));
  const experiment = await createExperiment({
    pythonFolder: resolve('.python'),
    config: join(folder, 'experiment.yml'),
    port: await freePort(),
    env: { ...process.env, HOME: home },
  });
  t.after(() => experiment.stop());
  return experiment;
}

function experimentFile(plan: TestExperiment, folder: string): object {
  return {
    searchSpace: plan.searchSpace,
    trialCommand: `exec node dist/cli/main.js trial --config ${join(folder, 'trial.yml')}`,
    trialCodeDirectory: resolve('.'),
    trialConcurrency: plan.concurrency,
    maxTrialNumber: plan.trials,
    tuner: { name: 'Random' },
    trainingService: { platform: 'local' },
  };
}
