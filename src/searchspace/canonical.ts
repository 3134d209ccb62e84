/** Paths that are the same network: an identity that keeps its input's shape does nothing. */
import { isSameShape, keepsShape } from './operations.ts';
import { isPathOf, pathKey } from './path.ts';
import type { Block, Candidate, Path, SearchSpace } from './space.ts';

/** Stands for a candidate that does nothing. */
const NOTHING = '';

/** Text that is the same for two candidates of equal blocks exactly when they do the same. */
function workOf({ input }: Block, { operation }: Candidate): string {
  const isIdle = operation.kind === 'identity' && keepsShape(operation, input);
  return isIdle ? NOTHING : JSON.stringify(operation);
}

/** Splits blocks where shapes change: a block that changes the shape stands alone. */
function runsOf(choices: readonly Block[]): readonly (readonly Block[])[] {
  const runs: Block[][] = [];
  let isOpen = false;
  for (const block of choices) {
    const keeps = isSameShape(block.input, block.output);
    if (keeps && isOpen) runs.at(-1)?.push(block);
    else runs.push([block]);
    isOpen = keeps;
  }
  return runs;
}

/**
 * Finds out where work can go on: entry `[i][j]` tells whether the blocks from `i` on can do the
 * work from `j` on, in order, and nothing else.
 */
function fitting(
  offers: readonly (readonly string[])[],
  work: readonly string[],
): readonly (readonly boolean[])[] {
  const nothingLeft = [...work.map(() => false), true];
  const rows: (readonly boolean[])[] = [nothingLeft];
  for (const offered of offers.toReversed()) {
    const [after = []] = rows;
    const rests = offered.includes(NOTHING);
    const row = after.map((fits, j) => {
      const works = offered.includes(work[j] ?? NOTHING) && after[j + 1] === true;
      return works || (rests && fits);
    });
    rows.unshift(row);
  }
  return rows;
}

/** Moves the work of one run to its earliest possible blocks, in the same order. */
function settle(run: readonly Block[], taken: readonly number[]): readonly number[] {
  const offers = run.map((block) => block.candidates.map((each) => workOf(block, each)));
  const work = offers.map((offered, i) => offered[taken[i] ?? NaN] ?? NOTHING);
  const left = work.filter((each) => each !== NOTHING);
  const fits = fitting(offers, left);
  let done = 0;
  return offers.map((offered, i) => {
    const next = offered.indexOf(left[done] ?? NOTHING);
    if (next === -1 || fits[i + 1]?.[done + 1] !== true) return offered.indexOf(NOTHING);
    done++;
    return next;
  });
}

/**
 * The one path that stands for all paths of a network. Within a run of blocks that keep the shape,
 * blocks that do something may stand anywhere as long as their order stays: they come first and the
 * identities last, as far as the blocks' candidates allow. Of candidates with equal operations the
 * first is taken. The identity of a block that changes the shape is a convolution and stays.
 *
 * @throws RangeError when the path is not one of this space.
 */
export function canonicalPath(space: SearchSpace, path: Path): Path {
  if (!isPathOf(space, path)) throw new RangeError(`no path of "${space.name}": ${path.join(' ')}`);
  let start = 0;
  return runsOf(space.choices).flatMap((run) =>
    settle(run, path.slice(start, (start += run.length))),
  );
}

/** Text that is the same for two paths of one space exactly when they are the same network. */
export function networkKey(space: SearchSpace, path: Path): string {
  return pathKey(canonicalPath(space, path));
}

/** Each network once, by the first of its paths. */
export function distinctNetworks(space: SearchSpace, paths: readonly Path[]): Path[] {
  const byNetwork = new Map<string, Path>();
  for (const path of paths) {
    const key = networkKey(space, path);
    if (!byNetwork.has(key)) byNetwork.set(key, path);
  }
  return [...byNetwork.values()];
}

/** Whether two paths of one space are the same network. */
export function isSameNetwork(space: SearchSpace, a: Path, b: Path): boolean {
  return networkKey(space, a) === networkKey(space, b);
}
