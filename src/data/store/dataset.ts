import path from 'node:path';
import { censusWarnings, countImages } from '../census.ts';
import { sha256 } from '../../foundation/digest.ts';
import { TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { locateSource } from '../formats/locate.ts';
import {
  showsSigns,
  unreadWarnings,
  type DataFormat,
  type ImageSource,
  type Listing,
  type Part,
} from '../formats/source.ts';
import { prepareCache, readCache, writeCache } from './cache.ts';
import { decodeParts, type DecodedParts } from './decode-parts.ts';
import { escapeField } from './quarantine.ts';
import { stratifiedOrder } from './stratify.ts';

/** Part of the key: raise it when decoding gives other pixels or reads other files. */
const DECODER = 4;
const SKIPPED_SHOWN = 5;

/** A data set in memory. */
export interface Dataset extends DecodedParts {
  readonly classes: readonly string[];
  /** Whether the images are digits or other signs, which must not be mirrored. */
  readonly digits: boolean;
}

/** A data set and how to open it. */
export interface DatasetOptions {
  readonly path: string;
  readonly format: DataFormat | 'auto';
  /** Height and width of the resized images, pixels. */
  readonly imageSize: number;
  /** Folder of the cache; created if missing. */
  readonly cacheFolder: string;
  /** Most images of a part, classes in proportion; default all. */
  readonly maxImages?: number | undefined;
  readonly logger: Logger;
}

async function cacheFileOf(source: ImageSource, options: DatasetOptions): Promise<string> {
  const { imageSize, maxImages, cacheFolder } = options;
  const files = await source.fingerprint();
  const key = [DECODER, path.resolve(source.path), imageSize, maxImages ?? 'all', ...files];
  const digest = sha256(key.join('\n')).slice(0, 16);
  return path.join(cacheFolder, `${path.basename(source.path)}-${imageSize}-${digest}.u8`);
}

/** Positions of one part, at most `limit` of them, in the order of the listing. */
function wantedOfPart({ images }: Listing, part: Part, limit: number): number[] {
  const positions = images.flatMap((image, position) => (image.part === part ? [position] : []));
  if (positions.length <= limit) {
    return positions;
  }
  const labels = Int32Array.from(positions, (position) => images[position]?.label ?? 0);
  const chosen = stratifiedOrder(labels, 0).slice(0, limit).sort();
  return Array.from(chosen, (index) => positions[index] ?? 0);
}

async function decode(source: ImageSource, options: DatasetOptions): Promise<DecodedParts> {
  const listing = await source.list();
  const limit = options.maxImages ?? Infinity;
  const train = wantedOfPart(listing, 'train', limit);
  const wanted = [...train, ...wantedOfPart(listing, 'test', limit)].sort((a, b) => a - b);
  const { imageSize: size, logger } = options;
  const parts = await decodeParts(source, listing, { wanted, size, logger });
  if (parts.train.count === 0) {
    throw new TrialError('DATA_INVALID', {
      where: source.path,
      wanted: 'training images',
      found: `none that can be used out of ${train.length}`,
      next: 'Check the files of the training part.',
    });
  }
  refuseLostClass(source.path, listing, train, parts);
  return parts;
}

/** Refuses a class whose images are all damaged. */
function refuseLostClass(
  where: string,
  { classes, images }: Listing,
  wanted: readonly number[],
  { train, skipped }: DecodedParts,
): void {
  const found = new Set(train.labels);
  const lost = wanted
    .flatMap((position) => images[position] ?? [])
    .find(({ label }) => !found.has(label));
  if (lost === undefined) return;
  const reason = skipped.find(({ name }) => name === lost.name)?.reason ?? '';
  throw new TrialError('DATA_INVALID', {
    where: `${where}: class "${classes[lost.label] ?? ''}"`,
    wanted: 'training images',
    found: `none that can be used: ${escapeField(lost.name)} (${escapeField(reason)})`,
    next: 'Repair or replace its files, or remove the folder.',
  });
}

/** Logs warnings and skipped images. */
function reportWarnings({ train, test, unread }: DecodedParts, logger: Logger): void {
  const labels = { train: train.labels, test: test?.labels ?? [] };
  const census = countImages(train.classes, labels);
  for (const warning of [...unreadWarnings(unread), ...censusWarnings(census)]) {
    logger.log('warning', `images: ${warning}`);
  }
}

function reportSkipped({ skipped }: DecodedParts, logger: Logger): void {
  for (const { name, reason } of skipped.slice(0, SKIPPED_SHOWN)) {
    logger.log('warning', `skipped ${escapeField(name)}: ${escapeField(reason)}`);
  }
  if (skipped.length > SKIPPED_SHOWN) {
    logger.log('warning', `skipped ${skipped.length - SKIPPED_SHOWN} more images`);
  }
}

async function loadParts(source: ImageSource, options: DatasetOptions): Promise<DecodedParts> {
  const file = await cacheFileOf(source, options);
  const cached = await readCache(file, options.logger);
  if (cached) {
    options.logger.log('info', `images: ${cached.train.count} from the cache ${file}`);
    return cached;
  }
  options.logger.log('info', `images: decoding ${source.path} once into ${file}`);
  await prepareCache(file);
  const parts = await decode(source, options);
  await writeCache(file, parts);
  return parts;
}

/**
 * Opens a data set. Decodes it once into a compact cache file, then reads that file.
 *
 * @throws TrialError `DATA_NOT_FOUND` or `DATA_INVALID` for data that cannot be used,
 * `FILE_UNREADABLE` when the disk fails, `FILE_UNWRITABLE` when the cache cannot be written. Damaged
 * images are skipped and named, up to the limits of a quarantine. A set that exceeds them is never
 * cached.
 */
export async function openDataset(options: DatasetOptions): Promise<Dataset> {
  const source = await locateSource(options.path, options.format);
  const parts = await loadParts(source, options);
  reportSkipped(parts, options.logger);
  reportWarnings(parts, options.logger);
  const { classes } = parts.train;
  return { ...parts, classes, digits: showsSigns(source, classes) };
}
