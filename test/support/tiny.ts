/** The smallest search that has everything: a space, learnable data, a plan, a recording reporter. */
import type { Engine } from '../../src/engine/engine.ts';
import { createRng } from '../../src/foundation/rng.ts';
import type { NetworkSkeleton } from '../../src/generated/network-skeleton.ts';
import type { BoardEntry } from '../../src/algorithms/cream/board.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { fullSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import type { SearchContext } from '../../src/training/loop.ts';
import { planSearch, type SearchPlan, type SearchSettings } from '../../src/training/plan.ts';
import type { Batch, HeldOut, Reporter, SearchMetrics } from '../../src/training/ports.ts';

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

export const tinySettings: SearchSettings = {
  seed: 1,
  epochs: 3,
  imagesPerEpoch: 320,
  batchSize: 16,
  lr: 0.05,
  momentum: 0.9,
  weightDecay: 1e-4,
  labelSmoothing: 0.1,
  boardSize: 4,
  probeImages: 2,
  metaImages: 8,
  minMacs: 0,
};

export const trainingSettings = {
  lr: 0.05,
  momentum: 0.9,
  weightDecay: 1e-4,
  labelSmoothing: 0.1,
} as const;

export function tinyPlan(changes: Partial<SearchSettings> = {}): SearchPlan {
  return planSearch({ ...tinySettings, ...changes }, 32);
}

export function tinySupernet(engine: Engine, seed = 1): Supernet {
  return new Supernet(engine, tinySpace, seed);
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

/** A board entry as a search would have made it, but for its softmax, which is drawn. */
export function tinyEntry(path: Path, accuracy = 0.5, images = 2): BoardEntry {
  const stream = `entry ${path.join()}`;
  const rng = createRng({ seed: 7, stream, step: 0 });
  const probabilities = new Float32Array(images * CLASSES);
  for (let i = 0; i < images; i++) {
    const odds = Array.from({ length: CLASSES }, () => Math.exp(2 * rng.normal()));
    const sum = odds.reduce((a, b) => a + b);
    probabilities.set(odds.map((odd) => odd / sum), i * CLASSES); // prettier-ignore
  }
  const probe = { images: tinyBatch(images, stream).images, probabilities };
  return { path, accuracy, batchAccuracy: accuracy, macs: tinyMacs(path), step: 0, probe };
}

export interface RecordingReporter extends Reporter {
  readonly intermediates: SearchMetrics[];
  readonly finals: SearchMetrics[];
}

export function recordingReporter(): RecordingReporter {
  const intermediates: SearchMetrics[] = [];
  const finals: SearchMetrics[] = [];
  return {
    intermediates,
    finals,
    intermediate: async (metrics, epoch) => {
      await Promise.resolve();
      intermediates[epoch] = metrics;
    },
    final: async (metrics) => void (await Promise.resolve(), finals.push(metrics)),
  };
}

export const tinyHeldOut: HeldOut = {
  board: tinyBatch(32, 'board'),
  meta: (step) => tinyBatch(8, 'meta', step % 4),
  ranking: [0, 1, 2].map((i) => tinyBatch(32, 'ranking', i)),
  calibration: [0, 1].map((i) => tinyBatch(32, 'calibration', i)),
};

/** Everything around a search of {@link tinySpace}; the clock ticks once a look. */
export function tinyContext(
  changes: Partial<SearchContext> = {},
): SearchContext & { readonly reporter: RecordingReporter } {
  let time = 0;
  const plan = changes.plan ?? tinyPlan();
  const next = (step: number) => Promise.resolve(tinyBatch(plan.batchSize, 'training', step));
  return {
    plan,
    batches: { waitedMs: 0, next },
    heldOut: tinyHeldOut,
    macsOf: tinyMacs,
    clock: () => time++,
    skippedImages: 0,
    between: () => Promise.resolve(),
    recall: () => Promise.reject(new Error('nothing was saved')),
    onStep: () => undefined,
    ...changes,
    reporter: recordingReporter(),
  };
}
