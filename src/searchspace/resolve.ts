import type {
  Candidate as SkeletonCandidate,
  Fixed,
  NetworkSkeleton,
  Stage,
} from '../generated/network-skeleton.ts';
import { outputShape } from './operations.ts';
import type { Block, Candidate, FeatureShape, Operation, SearchSpace } from './space.ts';

/** A block before its place in the network, and so its shapes, are known. */
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

/** Gives every block its input and output; all candidates of one block agree on the output. */
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
