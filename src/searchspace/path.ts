import { TrialError } from '../foundation/errors.ts';
import type { Candidate, Path, SearchSpace } from './space.ts';

/** The candidate names of a path by label, as an NNI tuner would send them. */
export type Sample = Readonly<Record<string, string>>;

const DIGITS = '0123456789';

/**
 * Key of a path's candidates. Different paths can be one network: `networkKey` identifies networks.
 */
export function pathKey(path: Path): string {
  return path.join('.');
}

/** Orders paths of one space by the positions of their candidates, the first block first. */
export function comparePaths(a: Path, b: Path): number {
  return a.map((candidate, i) => candidate - (b[i] ?? 0)).find((step) => step !== 0) ?? 0;
}

/** Whether two paths take the same candidate everywhere. */
export function isSamePath(a: Path, b: Path): boolean {
  return pathKey(a) === pathKey(b);
}

/** Whether a path belongs to a space. */
export function isPathOf({ choices }: SearchSpace, path: Path): boolean {
  if (path.length !== choices.length) return false;
  return choices.every(({ candidates }, i) => candidates[path[i] ?? NaN] !== undefined);
}

/**
 * The candidate that each block of the space becomes, fixed blocks included.
 *
 * @throws RangeError when the path is not in this space.
 */
export function candidatesOf(space: SearchSpace, path: Path): readonly Candidate[] {
  if (path.length !== space.choices.length) {
    throw new RangeError(`a path of ${path.length} in a space of ${space.choices.length} choices`);
  }
  let choice = 0;
  return space.blocks.map((block) => {
    const index = block.label === null ? 0 : path[choice++];
    const candidate = block.candidates[index ?? -1];
    if (candidate === undefined) throw new RangeError(`${block.name}: no candidate ${index}`);
    return candidate;
  });
}

/** Names of the candidates that a path takes in the labelled blocks, in execution order. */
export function pathNames(space: SearchSpace, path: Path): readonly string[] {
  return candidatesOf(space, path)
    .filter((_, i) => space.blocks[i]?.label !== null)
    .map(({ name }) => name);
}

/** Text of a path for people: `k3e4 k5e6 …`. */
export function pathText(space: SearchSpace, path: Path): string {
  return pathNames(space, path).join(' ');
}

/** The candidate names of a path by label. */
export function pathSample(space: SearchSpace, path: Path): Sample {
  const names = pathNames(space, path);
  return Object.fromEntries(space.choices.map(({ name }, i) => [name, names[i] ?? '']));
}

/**
 * Finds the path that takes a named candidate in each labelled block.
 *
 * @param names - One per labelled block, in execution order.
 * @throws TrialError ARCHITECTURE_INVALID when a block has no such candidate or the count differs.
 */
export function pathOfNames(space: SearchSpace, names: readonly string[], where: string): Path {
  if (names.length !== space.choices.length) {
    throw new TrialError('ARCHITECTURE_INVALID', {
      where,
      wanted: `one operation for each of the ${space.choices.length} blocks of "${space.name}"`,
      found: `${names.length}`,
      next: 'Name the skeleton that the architecture was made for',
    });
  }
  return space.choices.map(({ name, candidates }, i) => {
    const index = candidates.findIndex((candidate) => candidate.name === names[i]);
    if (index >= 0) return index;
    throw new TrialError('ARCHITECTURE_INVALID', {
      where: `${where}: label "${name}"`,
      wanted: candidates.map((candidate) => candidate.name).join(', '),
      found: names[i] ?? 'nothing',
      next: 'Correct the architecture or name the space that it was made for',
    });
  });
}

/**
 * One digit for each labelled block: the position of its candidate in the skeleton.
 *
 * @returns Null when the skeleton has more candidates than there are digits.
 */
export function pathCode(space: SearchSpace, path: Path): string | null {
  if (space.candidateNames.length > DIGITS.length) return null;
  return pathNames(space, path)
    .map((name) => space.candidateNames.indexOf(name))
    .join('');
}

/**
 * Reads what {@link pathCode} writes.
 *
 * @throws TrialError ARCHITECTURE_INVALID when a digit names no candidate or the count differs.
 */
export function pathOfCode(space: SearchSpace, code: string, where: string): Path {
  const names = Array.from(
    code,
    (digit) => space.candidateNames[DIGITS.indexOf(digit)] ?? `digit "${digit}"`,
  );
  return pathOfNames(space, names, where);
}

/** Number of networks in the space. */
export function spaceSize(space: SearchSpace): bigint {
  return space.choices.reduce((size, { candidates }) => size * BigInt(candidates.length), 1n);
}
