import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { writeShapes } from '../../src/data/obtain/shapes.ts';

/** A network of real size on images that need no download. */
const SEARCH = {
  skeleton: resolve('nni-config/skeletons/nas-bench-macro.json'),
  space: resolve('nni-config/spaces/nas-bench-macro.json'),
  data: { path: 'shapes', cache: 'cache' },
  imagesPerEpoch: 640,
  batchSize: 32,
};

/**
 * Writes a search of nas-bench-macro on generated images into a folder.
 *
 * @param settings - The other keys of the trial config.
 * @returns The config's file.
 */
export async function writeShapesSearch(folder: string, settings: object): Promise<string> {
  const spec = { classes: 10, train: 1600, test: 200, size: 32, seed: 1 };
  await writeShapes(join(folder, 'shapes'), spec);
  const config = join(folder, 'trial.yml');
  writeFileSync(config, stringify({ ...SEARCH, ...settings }));
  return config;
}
