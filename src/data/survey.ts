import { messageOf, TrialError } from '../foundation/errors.ts';
import { censusWarnings, countImages, type ClassCount } from './census.ts';
import { headerOf } from './formats/decode-image.ts';
import { locateSource } from './formats/locate.ts';
import {
  showsSigns,
  unreadWarnings,
  type DataFormat,
  type ImageSource,
  type ReadableImage,
} from './formats/source.ts';
import { heldOutSizes } from './stream/held-out.ts';

/** Most images whose headers are read. */
const SAMPLE = 64;

/** Facts about a data set that need no decoding. */
export interface Survey {
  /** The given or detected format. */
  readonly format: DataFormat;
  /** In the order of their indices. */
  readonly classes: readonly ClassCount[];
  readonly trainImages: number;
  readonly testImages: number;
  /**
   * Median of the shorter side in a sample, pixels; exact if all images have one size (CIFAR-10, and
   * IDX, whose 28 x 28 pixels are padded to 32).
   */
  readonly medianSide: number;
  /** Whether the images are digits or other signs, which must not be mirrored. */
  readonly signs: boolean;
  /** Unread files in class folders, by extension. */
  readonly skippedByKind: Readonly<Record<string, number>>;
  /** Warnings for the user. */
  readonly warnings: readonly string[];
}

/**
 * Surveys a data set: reads its listing and the headers of at most 64 images, always the same ones.
 *
 * @param format - `auto` detects it from the files.
 * @throws TrialError `DATA_NOT_FOUND` or `DATA_INVALID` when a search could not use the data, and as
 *   `openDataset`.
 */
export async function surveyImages(path: string, format: DataFormat | 'auto'): Promise<Survey> {
  const source = await locateSource(path, format);
  const { classes, images, unread } = await source.list();
  const labelsOf = (part: string): number[] =>
    images.filter((image) => image.part === part).map(({ label }) => label);
  const census = countImages(classes, { train: labelsOf('train'), test: labelsOf('test') });
  // Fails if a search would.
  heldOutSizes(census.trainImages, classes.length);
  const warnings = [...unreadWarnings(unread), ...censusWarnings(census)];
  const { sides, faults } = await measureSides(source, samplePositions(images.length));
  if (faults.length > 0) {
    const count = `${faults.length} of ${faults.length + sides.length} images that were looked at`;
    warnings.push(`${count} cannot be used, such as ${faults[0] ?? ''}`);
  }
  return {
    format: source.format,
    ...census,
    medianSide: medianOf(sides, path, faults),
    signs: showsSigns(source, classes),
    skippedByKind: unread,
    warnings,
  };
}

/** Positions spread evenly over a listing, which is usually sorted by part and class. */
function samplePositions(count: number): Set<number> {
  const length = Math.min(SAMPLE, count);
  const at = (_: unknown, index: number): number => Math.floor(((index + 0.5) * count) / length);
  return new Set(Array.from({ length }, at));
}

interface Sides {
  /** Shorter sides, pixels. */
  readonly sides: readonly number[];
  /** Faults of the other images. */
  readonly faults: readonly string[];
}

async function measureSides(source: ImageSource, wanted: ReadonlySet<number>): Promise<Sides> {
  const sides: number[] = [];
  const faults: string[] = [];
  for await (const image of source.read(wanted)) {
    await shorterSide(image).then(
      (side) => sides.push(side),
      (thrown: unknown) => faults.push(messageOf(thrown)),
    );
  }
  return { sides, faults };
}

async function shorterSide({ load }: ReadableImage): Promise<number> {
  const payload = await load();
  if (payload.kind === 'pixels') return payload.side;
  try {
    const { width, height } = await headerOf(payload);
    return Math.min(width, height);
  } catch (thrown) {
    throw new Error(`${payload.name}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function medianOf(sides: readonly number[], where: string, faults: readonly string[]): number {
  const sorted = [...sides].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median !== undefined) return median;
  throw new TrialError('DATA_INVALID', {
    where,
    wanted: 'images that can be used',
    found: `none among the ${faults.length} that were looked at: ${faults[0] ?? ''}`,
    next: 'Repair or replace the files.',
  });
}
