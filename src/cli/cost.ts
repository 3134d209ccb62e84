import { TrialError } from '../foundation/errors.ts';
import { parseArchitecture } from '../searchspace/architecture.ts';
import { macsOf, pathCost, type Cost } from '../searchspace/cost.ts';
import { publishedNet, PUBLISHED_NAMES, type Decoding } from '../searchspace/cream.ts';
import { fullSpace, parseSkeleton, type Skeleton } from '../searchspace/parse.ts';
import { pathOfNames, pathText } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';
import { parseDocument, readText } from '../foundation/documents.ts';

/** The network whose cost is wanted. */
export interface CostRequest {
  /** Path of the skeleton file. */
  readonly skeleton: string;
  /** Path of an architecture file, digit code, or name of a published net. */
  readonly arch: string;
  /** How a published net is read; only for names, and `published` without it. */
  readonly decoding?: Decoding | undefined;
}

/** Counts of one network or block. */
interface Counts {
  /** Multiply-accumulates of convolutions and linear layers. */
  readonly macs: number;
  readonly params: number;
  /** Multiply-accumulates of convolutions. */
  readonly conv: number;
  /** Multiply-accumulates of linear layers. */
  readonly linear: number;
  /** Output elements that a convolution's bias is added to. */
  readonly bias: number;
  /** Elements that batch norm scales and shifts. */
  readonly batchNorm: number;
  /** Elements that a global average reads. */
  readonly pooled: number;
}

/** Cost of a network for one image; exact integers. */
export interface CostReport extends Counts {
  /** Skeleton, or published net. */
  readonly network: string;
  /** Candidate names in execution order. */
  readonly path: string;
  /** Height and width of the image, in pixels. */
  readonly imageSize: number;
  readonly blocks: readonly (Counts & { readonly name: string; readonly operation: string })[];
}

interface Network {
  readonly space: SearchSpace;
  readonly path: Path;
}

function countsOf(cost: Cost): Counts {
  return {
    macs: macsOf(cost),
    params: cost.params,
    conv: cost.convMacs,
    linear: cost.linearMacs,
    bias: cost.convBias,
    batchNorm: cost.batchNorm,
    pooled: cost.pooled,
  };
}

/** A published name has its own depths, resolution and classes; only the family is the skeleton's. */
function publishedNetwork(skeleton: Skeleton, { arch, decoding }: CostRequest): Network | null {
  const net = publishedNet(arch, decoding ?? 'published');
  if (net === null) return null;
  if (skeleton.family !== 'cream') {
    throw new TrialError('ARCHITECTURE_INVALID', {
      where: `--arch ${arch}`,
      wanted: 'a skeleton of family "cream"',
      found: `"${skeleton.name}" of family "${skeleton.family}"`,
      next: 'Name a cream skeleton, such as nni-config/skeletons/cream.json',
    });
  }
  const space = fullSpace(net.skeleton);
  return { space, path: pathOfNames(space, net.operations, arch) };
}

async function givenNetwork(skeleton: Skeleton, { arch, decoding }: CostRequest): Promise<Network> {
  if (decoding === 'published') {
    throw new TrialError('USAGE', {
      where: '--decoding published',
      wanted: `a published net: ${PUBLISHED_NAMES.join(', ')}`,
      found: arch,
      next: 'Leave --decoding out: every other architecture is taken literally',
    });
  }
  const space = fullSpace(skeleton);
  const isCode = /^\d+$/.test(arch);
  const value = isCode ? arch : parseDocument(await readText(arch), arch, 'ARCHITECTURE_INVALID');
  return { space, path: parseArchitecture(space, value, arch) };
}

/**
 * Counts the cost of one network of a skeleton.
 *
 * @throws TrialError when a file is unreadable or invalid, or the skeleton has no such network.
 */
export async function costReport(request: CostRequest): Promise<CostReport> {
  const file = request.skeleton;
  const document = parseDocument(await readText(file), file, 'SKELETON_INVALID');
  const skeleton = parseSkeleton(document, file);
  const { space, path } =
    publishedNetwork(skeleton, request) ?? (await givenNetwork(skeleton, request));
  const { total, blocks } = pathCost(space, path);
  return {
    ...countsOf(total),
    network: space.name,
    path: pathText(space, path),
    imageSize: space.imageSize,
    blocks: blocks.map(({ name, candidate, cost }) => ({
      name,
      operation: candidate,
      ...countsOf(cost),
    })),
  };
}

const COLUMNS = ['macs', 'params', 'conv', 'linear', 'bias', 'batchNorm', 'pooled'] as const;

/** Formats a report as a table of blocks with sums below. */
export function renderCost(report: CostReport): string {
  const { network, imageSize, path, blocks } = report;
  const rows = [
    ['block', 'operation', ...COLUMNS],
    ...blocks.map((block) => [block.name, block.operation, ...COLUMNS.map((c) => `${block[c]}`)]),
    ['total', '', ...COLUMNS.map((column) => `${report[column]}`)],
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths?.[i] ?? 0) : cell.padStart(widths?.[i] ?? 0)))
      .join('  '),
  );
  return [`${network}, ${imageSize} px: ${path}`, '', ...lines].join('\n');
}
