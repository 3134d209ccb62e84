import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeShapes } from '../../src/data/shapes.ts';

const CLASSES = 6;
const IMAGE_SIZE = 24;

/** NAS-Bench-Macro with narrower blocks and smaller images: its steps take milliseconds. */
const SKELETON = {
  version: 1,
  name: 'narrow-macro',
  family: 'other',
  imageSize: IMAGE_SIZE,
  classes: CLASSES,
  activation: 'relu',
  squeezeExcite: null,
  candidates: [
    { kind: 'identity', name: 'identity' },
    { kind: 'inverted-residual', name: 'mb3_k3', expansion: 3, kernel: 3 },
    { kind: 'inverted-residual', name: 'mb6_k5', expansion: 6, kernel: 5 },
  ],
  stem: [{ kind: 'conv', kernel: 3, stride: 1, width: 8 }],
  stages: [
    { labels: ['layer_0', 'layer_1'], width: 16, stride: 2 },
    { labels: ['layer_2', 'layer_3', 'layer_4'], width: 24, stride: 2 },
    { labels: ['layer_5', 'layer_6', 'layer_7'], width: 48, stride: 2 },
  ],
  head: [{ kind: 'conv', kernel: 1, stride: 1, width: 256 }, { kind: 'pool' }, { kind: 'linear' }],
};

const CHOICE = { _type: 'choice', _value: SKELETON.candidates.map(({ name }) => name) };
const LABELS = SKELETON.stages.flatMap(({ labels }) => labels);
const SPACE = Object.fromEntries(LABELS.map((label) => [label, CHOICE]));

/** Saves fall inside epochs, the board opens after an eighth of the run, meta steps are many. */
const CONFIG = {
  seed: 5,
  skeleton: 'skeleton.json',
  space: 'space.json',
  data: { path: 'shapes', jitter: 0.2, erasing: 0.2 },
  epochs: 8,
  imagesPerEpoch: 1920,
  batchSize: 32,
  warmupEpochs: 1,
  metaInterval: 5,
  metaImages: 16,
  calibrationImages: 256,
  rankingImages: 300,
  threads: 2,
  checkpoint: { steps: 7 },
};

/**
 * Writes a search of about a minute on two cores, all of Cream at work, with its data.
 *
 * @param folder - Made if it is missing.
 * @param changes - To the config.
 * @returns path of the config.
 */
export async function writeInputs(folder: string, changes: object = {}): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const shapes = { classes: CLASSES, train: 2400, test: 240, size: IMAGE_SIZE, seed: 1 };
  await writeShapes(join(folder, 'shapes'), shapes);
  writeFileSync(join(folder, 'skeleton.json'), JSON.stringify(SKELETON));
  writeFileSync(join(folder, 'space.json'), JSON.stringify(SPACE));
  const config = join(folder, 'trial.yml');
  writeFileSync(config, stringify({ ...CONFIG, ...changes }));
  return config;
}
