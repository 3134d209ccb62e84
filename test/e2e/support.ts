import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import {
  createExperiment,
  type Experiment,
  freePort,
  resumeExperiment,
} from '../../src/nni/experiment.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { writeShapes } from '../../src/data/obtain/shapes.ts';

/** A network of three searched blocks that trains in seconds. */
const SKELETON = {
  version: 1,
  name: 'tiny',
  family: 'other',
  imageSize: 16,
  classes: 3,
  activation: 'relu',
  squeezeExcite: null,
  candidates: [
    { kind: 'identity', name: 'identity' },
    { kind: 'inverted-residual', name: 'mb3_k3', expansion: 3, kernel: 3 },
  ],
  stem: [{ kind: 'conv', kernel: 3, stride: 1, width: 8 }],
  stages: [
    { labels: ['a', 'b'], width: 8, stride: 2 },
    { labels: ['c'], width: 16, stride: 2 },
  ],
  head: [{ kind: 'conv', kernel: 1, stride: 1, width: 32 }, { kind: 'pool' }, { kind: 'linear' }],
};

const CHOICE = { _type: 'choice', _value: ['identity', 'mb3_k3'] };
const SPACE = { a: CHOICE, b: CHOICE, c: CHOICE };

const CONFIG = {
  skeleton: 'skeleton.json',
  space: 'space.json',
  data: { path: 'shapes' },
  epochs: 4,
  imagesPerEpoch: 64,
  batchSize: 16,
  metaImages: 8,
  calibrationImages: 64,
};

/** A search that ends after seconds. */
export interface TinySearch {
  /** Temporary folder that holds everything; removed by the caller. */
  readonly folder: string;
  /** The trial's config. */
  readonly config: string;
}

/** Writes a tiny search into a temporary folder; `changes` go into its config. */
export async function writeTinySearch(changes: object = {}): Promise<TinySearch> {
  const folder = mkdtempSync(join(tmpdir(), 'nni-cream-e2e-'));
  await writeShapes(join(folder, 'shapes'), {
    classes: 3,
    train: 240,
    test: 30,
    size: 16,
    seed: 1,
  });
  writeFileSync(join(folder, 'skeleton.json'), JSON.stringify(SKELETON));
  writeFileSync(join(folder, 'space.json'), JSON.stringify(SPACE));
  const config = join(folder, 'trial.yml');
  writeFileSync(config, stringify({ ...CONFIG, ...changes }));
  return { folder, config };
}

/** An experiment of one test. */
export interface TestExperiment {
  /** Number of trials, all at the same time. */
  readonly trials: number;
  /** NNI's search space. */
  readonly searchSpace: object;
  /** Changes to the config of the tiny search. */
  readonly changes?: object;
  /** Makes another command out of the trial's plain one. */
  readonly command?: (plain: string) => string;
}

/** A running experiment of one test. */
export interface StartedExperiment extends Experiment {
  /** `nnictl stop`, after which the files are still there. */
  readonly interrupt: () => Promise<void>;
  /** `nnictl resume` of what was interrupted, by the manager that it resolves with. */
  readonly resume: () => Promise<Experiment>;
}

/** Starts a real NNI experiment in a HOME of its own; `stop` also removes all its files. */
export async function startExperiment(plan: TestExperiment): Promise<StartedExperiment> {
  const { folder, config } = await writeTinySearch(plan.changes);
  const home = join(folder, 'home');
  mkdirSync(home);
  const file = join(folder, 'experiment.yml');
  writeFileSync(file, stringify(experimentFile(plan, config)));
  const remove = (): void => {
    rmSync(folder, { recursive: true, maxRetries: 5 });
  };
  try {
    const env = { ...process.env, HOME: home };
    const port = await freePort();
    const pythonFolder = resolve('.python');
    const files = { pythonFolder, config: file, port, env, timers: systemTimers };
    const experiment = await createExperiment(files);
    return {
      ...experiment,
      interrupt: experiment.stop,
      resume: () => resumeExperiment(files, experiment.id),
      stop: () => experiment.stop().finally(remove),
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function experimentFile(
  { trials, searchSpace, command = (plain) => `exec ${plain}` }: TestExperiment,
  trialConfig: string,
): object {
  return {
    searchSpace,
    trialCommand: command(`node dist/cli/main.js trial --config ${trialConfig}`),
    trialCodeDirectory: resolve('.'),
    trialConcurrency: trials,
    maxTrialNumber: trials,
    tuner: { name: 'Random' },
    trainingService: { platform: 'local' },
  };
}

/** Writes the config of a search with changes beside it, and gives its path. */
export function changedConfig(
  { folder, config }: TinySearch,
  name: string,
  changes: object,
): string {
  const file = join(folder, `${name}.yml`);
  const original = parse(readFileSync(config, 'utf8')) as object;
  writeFileSync(file, stringify({ ...original, ...changes }));
  return file;
}
