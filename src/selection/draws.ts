import { createRng } from '../foundation/rng.ts';
import { samplePath, type SamplerOptions } from '../searchspace/sampler.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';

/** Which random paths are drawn. */
export interface Draw {
  readonly sampling: SamplerOptions;
  readonly seed: number;
  readonly stream: string;
  readonly step?: number;
}

/** Random paths of the budget; some may be the same. */
export function drawPaths(space: SearchSpace, draw: Draw, count: number): Path[] {
  const { sampling, seed, stream, step = 0 } = draw;
  return Array.from({ length: count }, (_, index) =>
    samplePath(space, sampling, createRng({ seed, stream, step, index })),
  );
}
