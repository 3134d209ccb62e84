import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { pack, type Header } from 'tar-stream';
import { createImageSet, type ImageSet } from '../../src/data/store/image-set.ts';
import type { ImageSource, Listing, Payload } from '../../src/data/formats/source.ts';
import { silentLogger, type Logger } from '../../src/foundation/logger.ts';
import type { DatasetOptions } from '../../src/data/store/dataset.ts';
import type { Opened } from '../support/open-data.ts';

/** Runs a test in a folder of its own, which is removed afterwards. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cream-data-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function solidPng(
  red: number,
  green: number,
  blue: number,
  side = 8,
): Promise<Buffer> {
  const background = { r: red, g: green, b: blue };
  return sharp({ create: { width: side, height: side, channels: 3, background } })
    .png()
    .toBuffer();
}

export async function solidJpeg(level: number, side = 8): Promise<Buffer> {
  const background = { r: level, g: level, b: level };
  return sharp({ create: { width: side, height: side, channels: 3, background } })
    .jpeg({ quality: 100 })
    .toBuffer();
}

/** Files by their path below a folder. */
export type Files = Readonly<Record<string, Buffer | string>>;

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), bytes);
  }
}

/** Two classes, red and blue, two training images and one test image each. */
export async function redAndBlue(testFolder = 'val'): Promise<Record<string, Buffer>> {
  const red = await solidPng(255, 0, 0);
  const blue = await solidPng(0, 0, 255);
  return {
    'train/blue/a.png': blue,
    'train/blue/b.png': blue,
    'train/red/a.png': red,
    'train/red/b.png': red,
    [`${testFolder}/blue/c.png`]: blue,
    [`${testFolder}/red/c.png`]: red,
  };
}

export type TarEntry = Pick<Header, 'name'> &
  Partial<Header> & { readonly bytes?: Buffer | string };

export async function writeTar(file: string, entries: readonly TarEntry[]): Promise<void> {
  const archive = pack();
  for (const { bytes, ...header } of entries) {
    archive.entry(header, bytes ?? '');
  }
  archive.finalize();
  await pipeline(archive as unknown as NodeJS.ReadableStream, createWriteStream(file));
}

export function tarEntries(files: Files): TarEntry[] {
  return Object.entries(files).map(([name, bytes]) => ({ name, bytes }));
}

/** One CIFAR-10 record: a label and three planes of one value each. */
export function cifarRecord(label: number, colour: readonly [number, number, number]): Buffer {
  const planes = colour.map((level) => Buffer.alloc(1024, level));
  return Buffer.concat([Buffer.from([label]), ...planes]);
}

function idx(magic: number, axes: readonly number[], content: Buffer): Buffer {
  const header = Buffer.alloc(4 + 4 * axes.length);
  header.writeUInt32BE(magic);
  axes.forEach((length, axis) => header.writeUInt32BE(length, 4 + 4 * axis));
  return Buffer.concat([header, content]);
}

/** IDX files of 28 x 28 images, image i filled with level i + 1 and labelled i % 10. */
export function idxFiles(count: number, prefix = 'train'): Record<string, Buffer> {
  const images = Array.from({ length: count }, (_, index) => Buffer.alloc(28 * 28, index + 1));
  const labels = Buffer.from(Array.from({ length: count }, (_, index) => index % 10));
  return {
    [`${prefix}-images-idx3-ubyte.gz`]: gzipSync(
      idx(0x803, [count, 28, 28], Buffer.concat(images)),
    ),
    [`${prefix}-labels-idx1-ubyte`]: idx(0x801, [count], labels),
  };
}

export function options(folder: string, more: Partial<DatasetOptions> = {}): DatasetOptions {
  return {
    path: path.join(folder, 'images'),
    format: 'auto',
    imageSize: 8,
    cacheFolder: path.join(folder, 'cache'),
    logger: silentLogger,
    ...more,
  };
}

/** Starts a process that opens a data set. @param preload - Module that it runs first. */
export function startOpening(opened: DatasetOptions, preload = ''): ChildProcess {
  const flags = [
    '--import',
    'tsx',
    '--import',
    `data:text/javascript,${encodeURIComponent(preload)}`,
  ];
  const script = path.join(import.meta.dirname, '../support/open-data.ts');
  return spawn(process.execPath, [...flags, script, JSON.stringify(opened)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Opens a data set in a process of its own, which has to get by with little memory. */
export async function openWithLittleMemory(opened: DatasetOptions): Promise<Opened> {
  const outcome = (await json(startOpening(opened).stdout!)) as Opened;
  assert.ok(outcome.grownMiB < 64, `${outcome.grownMiB} MiB`);
  return outcome;
}

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: (level, message) => lines.push(`${level} ${message}`) };
}

/** A set whose image i has the value i in its first pixel's red and a gradient elsewhere. */
export function numberedSet(count: number, size: number, classes = 2): ImageSet {
  const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
  const set = createImageSet({ count, size, classes: names });
  set.images.forEach((_, at) => {
    set.images[at] = (at * 7) % 251;
  });
  for (let index = 0; index < count; index++) {
    set.labels[index] = index % classes;
    set.images[index * size * size * 3] = index;
  }
  return set;
}

/** A source in memory of training images of one class, and how many have been loaded. */
export function payloadSource(payloads: readonly Payload[]): {
  readonly source: ImageSource;
  readonly listing: Listing;
  readonly loaded: () => number;
} {
  let loaded = 0;
  const images = payloads.map((payload) => ({
    name: payload.kind === 'encoded' ? payload.name : 'pixels',
    part: 'train' as const,
    label: 0,
  }));
  const listing = { classes: ['a', 'b'], images, unread: {} };
  const source: ImageSource = {
    path: 'memory',
    format: 'image-folder',
    signs: false,
    fingerprint: () => Promise.resolve([]),
    list: () => Promise.resolve(listing),
    // eslint-disable-next-line @typescript-eslint/require-await -- the payloads are there
    async *read(wanted) {
      for (const position of wanted) {
        loaded++;
        yield { position, load: () => Promise.resolve(payloads[position]!) };
      }
    },
  };
  return { source, listing, loaded: () => loaded };
}
