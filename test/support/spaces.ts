import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { creamSkeleton, type FivePerStage } from '../../src/searchspace/cream.ts';
import { fullSpace, parseSkeleton, type Skeleton } from '../../src/searchspace/parse.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';

/** Root of the repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** Parsed content of a JSON file, named from the root of the repository. */
export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
}

/** A skeleton that ships, such as `nas-bench-macro`. */
export function shippedSkeleton(name: string): Skeleton {
  return parseSkeleton(readJson(`nni-config/skeletons/${name}.json`), name);
}

/** All networks of a skeleton that ships. */
export function shippedSpace(name: string): SearchSpace {
  return fullSpace(shippedSkeleton(name));
}

/** All networks of the paper's space with the given depths. */
export function creamSpace(depths: FivePerStage, imageSize = 224): SearchSpace {
  return fullSpace(creamSkeleton({ name: 'cream', depths, imageSize, classes: 1000 }));
}
