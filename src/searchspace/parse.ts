/** Checks a skeleton and an NNI space, binds them, and resolves the search space. */

import spaceSchema from '../../schemas/search-space.schema.json' with { type: 'json' };
import skeletonSchema from '../../schemas/network-skeleton.schema.json' with { type: 'json' };
import { TrialError } from '../foundation/errors.ts';
import { createValidator } from '../foundation/schema.ts';
import type {
  Candidate as SkeletonCandidate,
  Fixed,
  NetworkSkeleton,
  Stage,
} from '../generated/network-skeleton.ts';
import type { NasSearchSpace } from '../generated/search-space.ts';
import { creamViolation } from './cream.ts';
import { outputShape } from './operations.ts';
import type { Block, Candidate, FeatureShape, Operation, SearchSpace } from './space.ts';

/** A checked skeleton with defaults filled in. */
export type Skeleton = Readonly<NetworkSkeleton>;

/** Distinct values of each label, in the order of the file. */
export type NasSpace = ReadonlyMap<string, readonly (string | number | boolean)[]>;

const validateSkeleton = createValidator<NetworkSkeleton>({
  schema: skeletonSchema,
  code: 'SKELETON_INVALID',
  noun: 'a network skeleton',
  next: 'Correct the skeleton file; schemas/network-skeleton.schema.json describes it',
});

const validateSpace = createValidator<NasSearchSpace>({
  schema: spaceSchema,
  code: 'SEARCH_SPACE_INVALID',
  noun: 'an NNI search space that holds labels only',
  next: 'Correct the space file; schemas/search-space.schema.json describes it',
});

function firstDuplicate<T>(values: readonly T[]): T | undefined {
  const known = new Set<T>();
  return values.find((value) => known.size === known.add(value).size);
}

/** Checks beyond the schema: unique names, a head that classifies. */
function checkSkeleton(skeleton: Skeleton, where: string): void {
  const refuse = (path: string, wanted: string, found: string): never => {
    const next = 'Correct the skeleton file';
    throw new TrialError('SKELETON_INVALID', { where: `${where} ${path}`, wanted, found, next });
  };
  const name = firstDuplicate(skeleton.candidates.map((candidate) => candidate.name));
  if (name !== undefined) refuse('/candidates', 'each name once', `"${name}" twice`);
  const label = firstDuplicate(skeleton.stages.flatMap((stage) => stage.labels));
  if (label !== undefined) refuse('/stages', 'each label once', `"${label}" twice`);
  const head = skeleton.head.map((operation) => operation.kind);
  const linears = [...skeleton.stem, ...skeleton.head].filter(({ kind }) => kind === 'linear');
  if (!head.includes('pool') || head.at(-1) !== 'linear' || linears.length !== 1) {
    refuse('/head', 'a pool, and one linear at the very end', head.join(', '));
  }
  const violation = skeleton.family === 'cream' ? creamViolation(skeleton) : null;
  if (violation !== null) refuse(violation.path, violation.wanted, violation.found);
}

/**
 * Checks a network skeleton.
 *
 * @param value - Untrusted content of a skeleton file.
 * @param where - The file, for errors.
 * @throws TrialError SKELETON_INVALID
 */
export function parseSkeleton(value: unknown, where: string): Skeleton {
  const skeleton = validateSkeleton(value, where);
  checkSkeleton(skeleton, where);
  return skeleton;
}

/**
 * Checks an NNI search space in its `choice` form or in the classic `layer_choice` form.
 *
 * @param value - Untrusted content of a space file.
 * @param where - The file, for errors.
 * @throws TrialError SEARCH_SPACE_INVALID
 */
export function parseNasSpace(value: unknown, where: string): NasSpace {
  const space = new Map<string, readonly (string | number | boolean)[]>();
  for (const [label, entry] of Object.entries(validateSpace(value, where))) {
    const duplicate = firstDuplicate<string | number | boolean>(entry._value);
    if (duplicate !== undefined) {
      throw new TrialError('SEARCH_SPACE_INVALID', {
        where: `${where}: label "${label}"`,
        wanted: 'each candidate once',
        found: `${JSON.stringify(duplicate)} twice`,
        next: 'Remove one of the two',
      });
    }
    space.set(label, entry._value);
  }
  return space;
}

function checkBinding(skeleton: Skeleton, space: NasSpace, where: string): void {
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  const known: unknown[] = skeleton.candidates.map((candidate) => candidate.name);
  const refuse = (label: string, wanted: string, found: string, next: string): never => {
    const at = `${where}: label "${label}"`;
    throw new TrialError('SEARCH_SPACE_INVALID', { where: at, wanted, found, next });
  };
  for (const [label, values] of space) {
    if (!labels.includes(label)) {
      const wanted = `a label of skeleton "${skeleton.name}": ${labels.join(', ')}`;
      refuse(label, wanted, 'a label without a block', 'Remove it or name another skeleton');
    }
    const unknown = values.find((value) => !known.includes(value));
    if (unknown !== undefined) {
      const wanted = `candidates of skeleton "${skeleton.name}": ${known.join(', ')}`;
      refuse(label, wanted, JSON.stringify(unknown), 'Correct the value');
    }
  }
  const missing = labels.find((label) => !space.has(label));
  if (missing !== undefined) {
    const wanted = `a choice for every block of skeleton "${skeleton.name}"`;
    refuse(missing, wanted, 'a block without a label', 'Add the label, if only with one value');
  }
}

/**
 * Binds the blocks of a skeleton to the candidates of an NNI search space, in its order.
 *
 * @param where - The space's file, for errors.
 * @throws TrialError SEARCH_SPACE_INVALID when labels and blocks, or values and candidates, differ.
 */
export function bindSearchSpace(skeleton: Skeleton, space: NasSpace, where: string): SearchSpace {
  checkBinding(skeleton, space, where);
  return resolveSpace(skeleton, (label) => (space.get(label) ?? []).map(String));
}

/** Binds every block of a skeleton to all its candidates. */
export function fullSpace(skeleton: Skeleton): SearchSpace {
  const names = skeleton.candidates.map((candidate) => candidate.name);
  return resolveSpace(skeleton, () => names);
}

/** A block before its shapes are known. */
type OpenBlock = Pick<Block, 'name' | 'label' | 'candidates'>;

const INPUT_CHANNELS = 3;

function resolveFixed(skeleton: Readonly<NetworkSkeleton>, fixed: Fixed): Operation {
  const { activation, squeezeExcite, classes } = skeleton;
  switch (fixed.kind) {
    case 'conv': {
      const { kind, kernel, stride, width: out, batchNorm } = fixed;
      return { kind, kernel, stride, out, bias: !batchNorm, batchNorm, activation };
    }
    case 'separable': {
      const { kind, kernel, stride, width: out } = fixed;
      return { kind, kernel, stride, out, activation, squeezeExcite };
    }
    case 'pool':
      return { kind: 'pool' };
    case 'linear':
      return { kind: 'linear', out: classes };
  }
}

function resolveCandidate(
  skeleton: Readonly<NetworkSkeleton>,
  candidate: SkeletonCandidate,
  place: { readonly stride: number; readonly out: number },
): Operation {
  if (candidate.kind === 'identity') return { kind: candidate.kind, ...place };
  const { kind, expansion, kernel } = candidate;
  const { activation, squeezeExcite } = skeleton;
  return { kind, expansion, kernel, ...place, activation, squeezeExcite };
}

function fixedBlocks(
  skeleton: Readonly<NetworkSkeleton>,
  part: 'stem' | 'head',
): readonly OpenBlock[] {
  return skeleton[part].map((fixed, i) => ({
    name: `${part}.${i}`,
    label: null,
    candidates: [{ name: fixed.kind, operation: resolveFixed(skeleton, fixed) }],
  }));
}

function stageBlocks(
  skeleton: Readonly<NetworkSkeleton>,
  stage: Stage,
  namesOf: (label: string) => readonly string[],
): readonly OpenBlock[] {
  const byName = new Map(skeleton.candidates.map((candidate) => [candidate.name, candidate]));
  return stage.labels.map((label, i) => {
    const place = { stride: i === 0 ? stage.stride : 1, out: stage.width };
    const candidates = namesOf(label).flatMap((name): Candidate[] => {
      const candidate = byName.get(name);
      return candidate ? [{ name, operation: resolveCandidate(skeleton, candidate, place) }] : [];
    });
    return { name: label, label, candidates };
  });
}

/** Computes every block's input and output; all candidates of one block have the same output. */
function chainShapes(open: readonly OpenBlock[], image: FeatureShape): readonly Block[] {
  let input = image;
  return open.map((block) => {
    const output = block.candidates[0] ? outputShape(block.candidates[0].operation, input) : input;
    const chained = { ...block, input, output };
    input = output;
    return chained;
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * Resolves a skeleton to blocks with all their numbers.
 *
 * @param namesOf - Candidate names of a label, in the wanted order; each is one of the skeleton's.
 * @returns The space, deeply frozen.
 */
export function resolveSpace(
  skeleton: Readonly<NetworkSkeleton>,
  namesOf: (label: string) => readonly string[],
): SearchSpace {
  const { name, family, imageSize, classes } = skeleton;
  const open = [
    ...fixedBlocks(skeleton, 'stem'),
    ...skeleton.stages.flatMap((stage) => stageBlocks(skeleton, stage, namesOf)),
    ...fixedBlocks(skeleton, 'head'),
  ];
  const image = { height: imageSize, width: imageSize, channels: INPUT_CHANNELS };
  const blocks = chainShapes(open, image);
  const choices = blocks.filter((block) => block.label !== null);
  const candidateNames = skeleton.candidates.map((candidate) => candidate.name);
  return deepFreeze({ name, family, imageSize, classes, candidateNames, blocks, choices });
}
