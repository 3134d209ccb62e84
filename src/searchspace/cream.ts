/** Cream's MobileNet space: its skeleton, the order of its operations, the published nets. */
import type { Candidate, NetworkSkeleton } from '../generated/network-skeleton.ts';

/** Kernel sizes in pixels, slowest first: Cream counts operations kernel by kernel. */
export const KERNELS = [3, 5, 7] as const;

/** Expansion ratios; the fast axis of Cream's operation index. */
export const EXPANSIONS = [4, 6] as const;

/** Names of the six operations of a block in the order of Cream's index, `k3e4` to `k7e6`. */
export const CREAM_OPERATIONS: readonly string[] = KERNELS.flatMap((kernel) =>
  EXPANSIONS.map((expansion) => `k${kernel}e${expansion}`),
);

const STEM_WIDTH = 16;
const STAGE_WIDTHS = [24, 40, 80, 96, 192] as const;
const TAIL_WIDTH = 320;
const HEAD_WIDTH = 1280;

/** Free parameters of a network of the family. */
export interface CreamSettings {
  /** Name of the skeleton. */
  readonly name: string;
  /** Blocks in each of the five stages. */
  readonly depths: FivePerStage;
  /** Height and width of the input images, in pixels. */
  readonly imageSize: number;
  readonly classes: number;
  /** Stride of the first convolution; the paper's is 2. */
  readonly stemStride?: number;
  /** Stride of each stage's first block; the paper's are 2, 2, 2, 1, 2. */
  readonly strides?: FivePerStage;
}

/** One number for each of the five stages. */
export type FivePerStage = readonly [number, number, number, number, number];

/** Label of a block: stages count from 1, blocks from 0. */
export function creamLabel(stage: number, index: number): string {
  return `s${stage}_i${index}`;
}

function stage(settings: CreamSettings, number: 1 | 2 | 3 | 4 | 5) {
  const at = (number - 1) as 0 | 1 | 2 | 3 | 4;
  const rest = Array.from({ length: settings.depths[at] - 1 }, (_, i) => creamLabel(number, i + 1));
  const labels: [string, ...string[]] = [creamLabel(number, 0), ...rest];
  return { labels, width: STAGE_WIDTHS[at], stride: (settings.strides ?? [2, 2, 2, 1, 2])[at] };
}

function candidate(kernel: (typeof KERNELS)[number], expansion: number) {
  const name = `k${kernel}e${expansion}`;
  return { kind: 'inverted-residual' as const, name, kernel, expansion };
}

/** The family's name for a candidate's operation. */
function operationName(candidate: Candidate): string {
  return candidate.kind === 'identity'
    ? candidate.kind
    : `k${candidate.kernel}e${candidate.expansion}`;
}

/**
 * Builds a skeleton of the family.
 *
 * @see Cream lib/models/structures/supernet.py @ 4a13c40; the head pools before its 1x1 convolution.
 */
export function creamSkeleton(settings: CreamSettings): NetworkSkeleton {
  return {
    version: 1,
    name: settings.name,
    family: 'cream',
    imageSize: settings.imageSize,
    classes: settings.classes,
    activation: 'swish',
    squeezeExcite: 0.25,
    candidates: [
      candidate(3, 4),
      candidate(3, 6),
      candidate(5, 4),
      candidate(5, 6),
      candidate(7, 4),
      candidate(7, 6),
    ],
    stem: [
      {
        kind: 'conv',
        kernel: 3,
        stride: settings.stemStride ?? 2,
        width: STEM_WIDTH,
        batchNorm: true,
      },
      { kind: 'separable', kernel: 3, stride: 1, width: STEM_WIDTH },
    ],
    stages: [
      stage(settings, 1),
      stage(settings, 2),
      stage(settings, 3),
      stage(settings, 4),
      stage(settings, 5),
    ],
    head: [
      { kind: 'conv', kernel: 1, stride: 1, width: TAIL_WIDTH, batchNorm: true },
      { kind: 'pool' },
      { kind: 'conv', kernel: 1, stride: 1, width: HEAD_WIDTH, batchNorm: false },
      { kind: 'linear' },
    ],
  };
}

/** A difference between a skeleton and the family that it names. */
export interface CreamViolation {
  /** JSON path in the skeleton. */
  readonly path: string;
  readonly wanted: string;
  readonly found: string;
}

/**
 * Checks whether Cream's own architecture files can describe a skeleton: they name stages, blocks and
 * operations by position.
 *
 * @returns The first difference, or null when there is none.
 */
export function creamViolation(skeleton: Readonly<NetworkSkeleton>): CreamViolation | null {
  const kinds = (operations: readonly { readonly kind: string }[]): string =>
    operations.map(({ kind }) => kind).join(' ');
  const labels = skeleton.stages.map((each) => each.labels.join(' ')).join(' | ');
  const positional = skeleton.stages
    .map((each, s) => each.labels.map((_, i) => creamLabel(s + 1, i)).join(' '))
    .join(' | ');
  const differences = [
    { path: '/stages', wanted: '5 stages', found: `${skeleton.stages.length} stages` },
    { path: '/stages', wanted: positional, found: labels },
    {
      path: '/candidates',
      wanted: CREAM_OPERATIONS.map((name) => `${name}=${name}`).join(' '),
      found: skeleton.candidates.map((each) => `${each.name}=${operationName(each)}`).join(' '),
    },
    { path: '/activation', wanted: 'swish', found: skeleton.activation },
    { path: '/squeezeExcite', wanted: '0.25', found: String(skeleton.squeezeExcite) },
    { path: '/stem', wanted: 'conv separable', found: kinds(skeleton.stem) },
    { path: '/head', wanted: 'conv pool conv linear', found: kinds(skeleton.head) },
  ];
  return differences.find(({ wanted, found }) => wanted !== found) ?? null;
}

/** Decodings of the published nets' digits; they differ in stages with one block. */
export type Decoding = 'published' | 'literal';

/** The operations of a published net block by block, its stages parted by a bar. */
interface PublishedNet {
  readonly depths: FivePerStage;
  /** Height and width of the input images, in pixels. */
  readonly imageSize: number;
  /** As the released weights have it: a stage with one block has that stage's default. */
  readonly published: string;
  /** As the released list of digits has it. */
  readonly literal: string;
}

const CREAM_481 =
  'k5e6 k7e4 k5e6 k3e6 | k5e6 k5e4 k5e6 k3e4 | k5e6 k5e6 k5e6 k3e6 k3e6 | ' +
  'k5e6 k5e6 k5e6 k5e6 | k5e6 k5e6 k5e6 k5e6';

const CREAM_604 =
  'k5e6 k5e6 k5e4 k5e6 k5e6 | k5e6 k5e4 k5e6 k5e4 k5e6 | k5e6 k5e4 k5e6 k5e4 k5e6 | ' +
  'k5e6 k5e6 k5e4 k5e4 k5e6 k5e6 | k5e6 k5e6 k5e4 k5e6 k5e6 k5e6';

/** @see Cream tools/retrain.py:58-87 and lib/models/structures/childnet.py:115-117 @ 4a13c40 */
const PUBLISHED: ReadonlyMap<string, PublishedNet> = new Map([
  [
    'cream-14',
    {
      depths: [1, 2, 2, 1, 1],
      imageSize: 64,
      published: 'k3e4 | k5e6 k5e6 | k5e6 k5e6 | k3e6 | k5e6',
      literal: 'k5e6 | k5e6 k5e6 | k5e6 k5e6 | k5e6 | k5e6',
    },
  ],
  [
    'cream-43',
    {
      depths: [1, 2, 2, 3, 2],
      imageSize: 96,
      published: 'k3e4 | k5e6 k3e6 | k5e6 k3e6 | k5e6 k5e6 k5e6 | k5e6 k5e6',
      literal: 'k5e6 | k5e6 k3e6 | k5e6 k3e6 | k5e6 k5e6 k5e6 | k5e6 k5e6',
    },
  ],
  [
    'cream-114',
    {
      depths: [1, 2, 2, 3, 2],
      imageSize: 160,
      published: 'k3e4 | k5e6 k5e6 | k5e6 k5e6 | k5e6 k5e6 k5e6 | k5e6 k5e6',
      literal: 'k5e6 | k5e6 k5e6 | k5e6 k5e6 | k5e6 k5e6 k5e6 | k5e6 k5e6',
    },
  ],
  [
    'cream-287',
    {
      depths: [1, 2, 3, 4, 3],
      imageSize: 224,
      published: 'k3e4 | k5e6 k5e6 | k5e6 k3e6 k5e6 | k5e6 k5e6 k5e6 k5e6 | k5e6 k5e6 k5e6',
      literal: 'k5e6 | k5e6 k5e6 | k5e6 k3e6 k5e6 | k5e6 k5e6 k5e6 k5e6 | k5e6 k5e6 k5e6',
    },
  ],
  [
    'cream-481',
    { depths: [4, 4, 5, 4, 4], imageSize: 224, published: CREAM_481, literal: CREAM_481 },
  ],
  [
    'cream-604',
    { depths: [5, 5, 5, 6, 6], imageSize: 224, published: CREAM_604, literal: CREAM_604 },
  ],
]);

/** Names of the published nets. */
export const PUBLISHED_NAMES: readonly string[] = [...PUBLISHED.keys()];

/**
 * Looks up a published net: its skeleton with its own depths, resolution and 1000 classes, and the
 * operation of each block in execution order.
 *
 * @returns Null when no net has that name.
 */
export function publishedNet(
  name: string,
  decoding: Decoding,
): { readonly skeleton: NetworkSkeleton; readonly operations: readonly string[] } | null {
  const net = PUBLISHED.get(name);
  if (net === undefined) return null;
  const { depths, imageSize } = net;
  return {
    skeleton: creamSkeleton({ name, depths, imageSize, classes: 1000 }),
    operations: net[decoding].split(' | ').flatMap((stage) => stage.split(' ')),
  };
}
