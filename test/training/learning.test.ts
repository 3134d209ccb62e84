/** Every shipped network learns, with the defaults of a config, in a minute for all of them. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { bindSearchSpace, fullSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import { scorePath } from '../../src/selection/score.ts';
import { nativeEngine } from '../support/engine.ts';
import { readJson } from '../support/spaces.ts';
import { trainByDefaults } from '../support/train.ts';

const CLASSES = 4;
const BATCH = 32;
/** Pixels. */
const WAVELENGTH = 6;

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/**
 * Noisy waves of any phase and colour: the class is their direction. The mean image of every class is
 * grey, so that no linear function of the pixels tells them apart.
 */
function waves({ imageSize: size }: SearchSpace, stream: string, step: number): Batch {
  const rng = createRng({ seed: 1, stream, step });
  const labels = Int32Array.from({ length: BATCH }, () => rng.below(CLASSES));
  const images = new Float32Array(BATCH * size * size * 3);
  labels.forEach((label, image) => {
    const angle = (Math.PI * label) / CLASSES;
    const phase = 2 * Math.PI * rng.uniform();
    const colour = [rng.normal(), rng.normal(), rng.normal()];
    for (let pixel = 0; pixel < size * size; pixel++) {
      const [x, y] = [pixel % size, Math.floor(pixel / size)];
      const along = Math.cos(angle) * x + Math.sin(angle) * y;
      const height = Math.sin((2 * Math.PI * along) / WAVELENGTH + phase);
      colour.forEach((share, channel) => {
        images[(image * size * size + pixel) * 3 + channel] = height * share + 0.5 * rng.normal();
      });
    }
  });
  return { count: BATCH, images, labels };
}

interface Network {
  readonly name: string;
  readonly imageSize: number;
  /** All paths, or one that has every candidate in turn: where a block has six, all take longer. */
  readonly paths: 'all' | 'one';
  readonly steps: number;
  /** Least mean accuracy of the scored paths; guessing has a quarter. */
  readonly least: number;
}

const NETWORKS: readonly Network[] = [
  { name: 'nas-bench-macro', imageSize: 32, paths: 'all', steps: 60, least: 0.5 },
  { name: 'cream-small', imageSize: 32, paths: 'one', steps: 36, least: 0.75 },
  { name: 'cream', imageSize: 64, paths: 'one', steps: 40, least: 0.55 },
];

function spaceOf({ name, imageSize, paths }: Network): SearchSpace {
  const file = readJson(`nni-config/skeletons/${name}.json`) as object;
  const skeleton = parseSkeleton({ ...file, imageSize, classes: CLASSES }, name);
  if (paths === 'all') return fullSpace(skeleton);
  const names = skeleton.candidates.map((candidate) => candidate.name);
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  const kept = labels.map((label, i) => [label, [names[i % names.length]!]] as const);
  return bindSearchSpace(skeleton, new Map(kept), 'test');
}

/** Mean accuracy on held-out images of paths that have the first, the second, … candidate throughout. */
async function accuracyAfterTraining(network: Network, seed: number): Promise<number> {
  const space = spaceOf(network);
  const training = { space, seed, steps: network.steps, batchSize: BATCH };
  const batchAt = (step: number): Batch => waves(space, 'training', step);
  const { supernet } = trainByDefaults(engine, { ...training, batchAt });
  const several = (stream: string): Batch[] => [0, 1, 2, 3].map((i) => waves(space, stream, i));
  const data = {
    calibration: several('calibration'),
    images: several('held out'),
    pause: () => Promise.resolve(),
  };
  const most = Math.max(...space.choices.map(({ candidates }) => candidates.length));
  let sum = 0;
  for (let k = 0; k < most; k++) {
    const path = space.choices.map(({ candidates }) => Math.min(k, candidates.length - 1));
    sum += (await scorePath(supernet, path, data)).accuracy;
  }
  supernet.dispose();
  return sum / most;
}

describe('a shipped network with the defaults', { timeout: 600_000 }, () => {
  for (const network of NETWORKS) {
    it(`learns in ${network.steps} steps: ${network.name} at ${network.imageSize} px`, async () => {
      const accuracy = await accuracyAfterTraining(network, 1);
      assert.ok(accuracy >= network.least, `accuracy ${accuracy}`);
    });
  }
});
