/** What both programs of the benchmark compute, as plain numbers. */
import { readFileSync } from 'node:fs';
import { createRng } from '../src/foundation/rng.ts';
import { OPEN_BUDGET } from '../src/searchspace/budget.ts';
import { samplePath } from '../src/searchspace/sampler.ts';
import { isSamePath } from '../src/searchspace/path.ts';
import { creamSkeleton } from '../src/searchspace/cream.ts';
import { fullSpace, parseSkeleton } from '../src/searchspace/parse.ts';
import type { Path, SearchSpace } from '../src/searchspace/space.ts';

/** Names of the networks that are measured. */
export const NETWORKS = ['macro', 'cream'] as const;
export type Network = (typeof NETWORKS)[number];

/** Everything that must be the same in both programs. */
export interface Workload {
  readonly space: SearchSpace;
  readonly batchSize: number;
  readonly threads: number;
  /** Paths on the board. */
  readonly board: readonly Path[];
  readonly probeImages: number;
  /** Steps before the clock starts, the first ones of `steps`. */
  readonly warmup: number;
  readonly steps: readonly BenchStep[];
}

export interface BenchStep {
  readonly student: Path;
  /**
   * Entry of the board that teaches. Both programs score the board and choose, but differently
   * initialised networks choose differently: the comparison needs the same work.
   */
  readonly teacher: number;
}

const BOARD_SIZE = 10;

/** Draws the paths of a benchmark; the same arguments give the same paths. */
export function createWorkload(
  network: Network,
  { steps, warmup, threads }: { steps: number; warmup: number; threads: number },
): Workload {
  const { space, batchSize } = networkOf(network);
  const draw = (stream: string, step: number): Path =>
    samplePath(space, { budget: OPEN_BUDGET, prior: null }, createRng({ seed: 0, stream, step }));
  const board = distinct((i) => draw('board', i));
  return {
    space,
    batchSize,
    threads,
    board,
    probeImages: 4,
    warmup,
    steps: Array.from({ length: warmup + steps }, (_, step) => ({
      student: draw('path', step),
      teacher: createRng({ seed: 0, stream: 'teacher', step }).below(BOARD_SIZE),
    })),
  };
}

function networkOf(network: Network): { space: SearchSpace; batchSize: number } {
  if (network === 'macro') {
    const file = new URL('../nni-config/skeletons/nas-bench-macro.json', import.meta.url);
    const skeleton = parseSkeleton(JSON.parse(readFileSync(file, 'utf8')), file.pathname);
    return { space: fullSpace(skeleton), batchSize: 64 };
  }
  const depths = [1, 2, 2, 3, 2] as const;
  const skeleton = creamSkeleton({ name: 'cream', depths, imageSize: 96, classes: 1000 });
  return { space: fullSpace(skeleton), batchSize: 32 };
}

function distinct(draw: (index: number) => Path): Path[] {
  const paths: Path[] = [];
  for (let i = 0; paths.length < BOARD_SIZE; i++) {
    const path = draw(i);
    if (!paths.some((other) => isSamePath(other, path))) paths.push(path);
  }
  return paths;
}
