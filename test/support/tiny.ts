/** The smallest search that has everything: a space, learnable data, a plan, a recording context. */
import type { Algorithm, AlgorithmDefinition, Setting } from '../../src/algorithms/algorithm.ts';
import type { BoardEntry } from '../../src/algorithms/cream/board.ts';
import { labelLoss } from '../../src/algorithms/stateless.ts';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { HeldOut } from '../../src/data/stream/held-out.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { nesterovSgd } from '../../src/engine/optimizer.ts';
import type { Metrics } from '../../src/foundation/metrics.ts';
import { createRng } from '../../src/foundation/rng.ts';
import type { NetworkSkeleton } from '../../src/generated/network-skeleton.ts';
import type { TrialConfigFile } from '../../src/generated/trial-config.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { fullSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';
import { memoryCache, Scorer } from '../../src/selection/scorer.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { parseTrialConfig, type TrialConfig } from '../../src/tasks/config.ts';
import { samplingOf } from '../../src/tasks/search-plan.ts';
import { emitToAll, type TaskEvent } from '../../src/training/events.ts';
import { StepLearner, type LearnerOptions } from '../../src/training/learner.ts';
import type { TrainingContext } from '../../src/training/loop.ts';
import { planTraining, type TrainingPlan } from '../../src/training/plan.ts';

const SIZE = 8;
const CLASSES = 3;

const skeleton: NetworkSkeleton = {
  version: 1,
  name: 'tiny',
  family: 'other',
  imageSize: SIZE,
  classes: CLASSES,
  activation: 'swish',
  squeezeExcite: null,
  candidates: [
    { kind: 'identity', name: 'identity' },
    { kind: 'inverted-residual', name: 'mb2_k3', expansion: 2, kernel: 3 },
    { kind: 'inverted-residual', name: 'mb3_k5', expansion: 3, kernel: 5 },
  ],
  stem: [{ kind: 'conv', kernel: 3, stride: 1, width: 8, batchNorm: true }],
  stages: [
    { labels: ['a', 'b'], width: 8, stride: 2 },
    { labels: ['c'], width: 8, stride: 2 },
  ],
  head: [
    { kind: 'conv', kernel: 1, stride: 1, width: 16, batchNorm: true },
    { kind: 'pool' },
    { kind: 'linear' },
  ],
};

/** 27 networks of three blocks on 8 x 8 images of 3 classes, swish throughout. */
export const tinySpace: SearchSpace = fullSpace(parseSkeleton(skeleton, 'test/support/tiny.ts'));

/** 21 networks of 27 paths: a stage whose second and third block keep the shape. */
export const twinSpace: SearchSpace = fullSpace(
  parseSkeleton(
    { ...skeleton, stages: [{ labels: ['a', 'b', 'c'], width: 8, stride: 2 }] },
    'test/support/tiny.ts',
  ),
);

const tinySettings = {
  skeleton: 'skeleton.json',
  space: 'space.json',
  data: { path: 'images' },
  seed: 1,
  epochs: 3,
  imagesPerEpoch: 320,
  batchSize: 16,
  // The values of Cream's code: what is computed by hand in the tests goes by them.
  initialisation: 'official',
  optimizer: 'sgd',
  clipNorm: 0,
  warmupSteps: 0,
  scoreBy: 'accuracy',
  pathsPerStep: 1,
  pathBatch: 'whole',
  lr: 0.05,
  momentum: 0.9,
  weightDecay: 1e-4,
  labelSmoothing: 0.1,
  boardSize: 4,
  probeImages: 2,
  metaImages: 8,
};

/** Settings of a config; those of a group need not be all. */
export type TinyChanges = Partial<Omit<TrialConfigFile, 'selection'>> & {
  readonly selection?: Partial<TrialConfigFile['selection']>;
};

/** A checked config: 3 epochs of 20 steps with 16 images each. */
export function tinyConfig(changes: TinyChanges = {}): TrialConfig {
  return parseTrialConfig(JSON.stringify({ ...tinySettings, ...changes }), '/tiny/trial.json');
}

export function tinyPlan(changes: TinyChanges = {}): TrainingPlan {
  return planTraining(tinyConfig(changes), 320);
}

/** What an algorithm of a tiny search is made for. */
export function tinySetting(changes: TinyChanges = {}, space = tinySpace): Setting {
  const config = tinyConfig(changes);
  return {
    space,
    config,
    schedule: tinyPlan(changes),
    sampling: samplingOf(config, space),
    macsOf: (path) => pathCost(space, path).macs,
    boardImages: tinyHeldOut.board.count,
  };
}

/** A search by one algorithm, without a supernet. */
export interface TinySearch<Own> {
  readonly setting: Setting;
  readonly plan: TrainingPlan;
  readonly algorithm: Algorithm<Own>;
}

export function tinySearch<Own>(
  definition: AlgorithmDefinition<Own>,
  changes: TinyChanges = {},
  space = tinySpace,
): TinySearch<Own> {
  const setting = tinySetting(changes, space);
  return { setting, plan: tinyPlan(changes), algorithm: definition.create(setting) };
}

export function tinySupernet(engine: Engine, seed = 1, space = tinySpace): Supernet {
  return new Supernet(engine, space, seed, 'official');
}

export const tinyMacs = (path: Path): number => pathCost(tinySpace, path).macs;

/** Noisy images whose class is the colour channel that a stripe pattern lies in. */
export function tinyBatch(count: number, stream: string, step = 0): Batch {
  const rng = createRng({ seed: 7, stream, step });
  const labels = Int32Array.from({ length: count }, () => rng.below(CLASSES));
  const images = new Float32Array(count * SIZE * SIZE * 3).map((_, at) => {
    const pixel = Math.floor(at / 3);
    const stripe = pixel % 2 === 0 && at % 3 === labels[Math.floor(pixel / (SIZE * SIZE))];
    return (stripe ? 1 : 0) + 0.5 * rng.normal();
  });
  return { count, images, labels };
}

/** The same batch with images that are no numbers. */
export function spoiled(batch: Batch): Batch {
  return { ...batch, images: new Float32Array(batch.images.length).fill(NaN) };
}

/** A board entry as a search would have made it, but for its numbers; its softmax is drawn. */
export function tinyEntry(path: Path, changes: Partial<BoardEntry> = {}): BoardEntry {
  const images = 2;
  const stream = `entry ${path.join()}`;
  const rng = createRng({ seed: 7, stream, step: 0 });
  const probabilities = new Float32Array(images * CLASSES);
  for (let i = 0; i < images; i++) {
    const odds = Array.from({ length: CLASSES }, () => Math.exp(2 * rng.normal()));
    const sum = odds.reduce((a, b) => a + b);
    probabilities.set(odds.map((odd) => odd / sum), i * CLASSES); // prettier-ignore
  }
  const macs = changes.macs ?? tinyMacs(path);
  return { path, crossEntropy: 1, accuracy: 0.5, probabilities, since: 0, ...changes, macs };
}

export const tinyHeldOut: HeldOut = {
  board: tinyBatch(32, 'board'),
  meta: (step, count) => tinyBatch(count, 'meta', step % 4),
  ranking: [0, 1, 2].map((i) => tinyBatch(32, 'ranking', i)),
  calibration: [0, 1].map((i) => tinyBatch(32, 'calibration', i)),
};

/** The learner of one step, with the optimizer and the rate of {@link tinyConfig}. */
export function tinyLearner(
  supernet: Supernet,
  changes: Partial<LearnerOptions> = {},
): StepLearner {
  const optimizer = nesterovSgd({ momentum: 0.9, weightDecay: 1e-4 });
  const clipNorm = Infinity;
  return new StepLearner({ supernet, optimizer, clipNorm, lr: 0.05, clock: () => 0, ...changes });
}

/** One step of one path by the labels alone; its loss, or null where it was not finite. */
export function trainPath(supernet: Supernet, path: Path, batch: Batch): number | null {
  const learner = tinyLearner(supernet);
  const trained = learner.gradientsOf(path, batch, labelLoss(learner, batch, 0.1));
  const isFinite = learner.update([trained]);
  learner.dispose();
  return isFinite ? trained.loss : null;
}

/** A context that remembers what happened. */
export type TinyContext<Own> = TrainingContext<Own> & {
  readonly events: readonly TaskEvent[];
  /** The metrics of the epochs, each as it was reported last. */
  readonly reports: readonly Metrics[];
};

/** Everything around a search of {@link tinySpace}; the clock ticks once a look. */
export function tinyContext<Own>(
  supernet: Supernet,
  { algorithm, plan, setting }: TinySearch<Own>,
  changes: Partial<TrainingContext<Own>> = {},
): TinyContext<Own> {
  let time = 0;
  const next = (step: number) => Promise.resolve(tinyBatch(plan.batchSize, 'training', step));
  const events: TaskEvent[] = [];
  const reports: Metrics[] = [];
  const record = (event: TaskEvent): void => {
    events.push(event);
    if (event.kind === 'epoch') reports[event.epoch] = event.metrics;
  };
  return {
    algorithm,
    plan,
    sampling: setting.sampling,
    images: {
      batches: { waitedMs: 0, next },
      heldOut: tinyHeldOut,
      skipped: 0,
    },
    scorer: new Scorer({
      supernet,
      heldOut: tinyHeldOut,
      cache: memoryCache(),
      scoreBy: setting.config.scoreBy,
      weightOf: plan.optimizer.weightOf,
    }),
    keeper: {
      checkpoint: () => Promise.resolve(),
      rollBack: () => Promise.reject(new Error('nothing was saved')),
    },
    clock: () => time++,
    ...changes,
    emit: emitToAll(record, changes.emit ?? (() => undefined)),
    events,
    reports,
  };
}
