import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { unlessUnwritable } from '../../foundation/atomic-file.ts';
import { TrialError } from '../../foundation/errors.ts';
import { makeFolder } from '../../foundation/files.ts';
import { createRng, type Rng } from '../../foundation/rng.ts';
import { CHANNELS } from '../store/image-set.ts';

/** Whether a point of the square [-1, 1] x [-1, 1], y downwards, lies inside a shape. */
type Inside = (x: number, y: number) => boolean;

const DRAWINGS: readonly (readonly [name: string, inside: Inside])[] = [
  ['bar', (x, y) => Math.abs(x) < 1 && Math.abs(y) < 0.25],
  ['circle', (x, y) => Math.hypot(x, y) < 0.85],
  ['crescent', (x, y) => Math.hypot(x, y) < 0.95 && Math.hypot(x - 0.45, y) > 0.75],
  [
    'cross',
    (x, y) =>
      Math.max(Math.abs(x), Math.abs(y)) < 0.95 && Math.min(Math.abs(x), Math.abs(y)) < 0.28,
  ],
  ['half-disc', (x, y) => Math.hypot(x, y) < 0.95 && y > 0],
  ['ring', (x, y) => Math.hypot(x, y) < 0.95 && Math.hypot(x, y) > 0.55],
  ['square', (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.7],
  ['star', (x, y) => Math.hypot(x, y) < 0.6 + 0.4 * Math.cos(5 * Math.atan2(y, x))],
  ['stripes', (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85 && Math.abs(y) % 0.6 < 0.3],
  ['triangle', (x, y) => y < 0.65 && Math.abs(x) < (y + 0.95) * 0.58],
];

const LANES = 8;
/** Sampling points per pixel in each direction. */
const SUBPIXELS = [-0.25, 0.25];
const LEAST_CONTRAST = 60;
const NOISE = 12;
const FULL = 255;
const MARKER = 'shapes.json';

/** Size and seed of a generated set. */
export interface ShapesSpec {
  /** Number of classes, 2 to 10. */
  readonly classes: number;
  /** Images of the training part; the classes alternate. */
  readonly train: number;
  /** Images of the test part. */
  readonly test: number;
  /** Height and width in pixels. */
  readonly size: number;
  readonly seed: number;
}

type Colour = readonly [number, number, number];

/** Place, size, angle and colours of one drawing. */
interface Scene {
  readonly x: number;
  readonly y: number;
  /** Half the shape's extent, in pixels. */
  readonly radius: number;
  /** Radians. */
  readonly angle: number;
  readonly foreground: Colour;
  readonly background: Colour;
  /** Increase of the background's brightness from its upper to its lower edge. */
  readonly slope: number;
}

function drawColour(rng: Rng): Colour {
  return [rng.below(FULL + 1), rng.below(FULL + 1), rng.below(FULL + 1)];
}

function contrast(a: Colour, b: Colour): number {
  return (Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2])) / CHANNELS;
}

function drawScene(size: number, rng: Rng): Scene {
  const radius = size * (0.22 + 0.22 * rng.uniform());
  const place = (): number => radius + (size - 2 * radius) * rng.uniform();
  const background = drawColour(rng);
  let foreground = drawColour(rng);
  while (contrast(foreground, background) < LEAST_CONTRAST) {
    foreground = drawColour(rng);
  }
  return {
    x: place(),
    y: place(),
    radius,
    angle: 2 * Math.PI * rng.uniform(),
    foreground,
    background,
    slope: 80 * (rng.uniform() - 0.5),
  };
}

/** Share of a pixel that the shape covers. */
function coverage(inside: Inside, scene: Scene, column: number, row: number): number {
  const [cos, sin] = [Math.cos(scene.angle) / scene.radius, Math.sin(scene.angle) / scene.radius];
  let hits = 0;
  for (const down of SUBPIXELS) {
    for (const right of SUBPIXELS) {
      const x = column + 0.5 + right - scene.x;
      const y = row + 0.5 + down - scene.y;
      hits += inside(cos * x + sin * y, cos * y - sin * x) ? 1 : 0;
    }
  }
  return hits / SUBPIXELS.length ** 2;
}

/** Draws one image, `uint8 [size, size, 3]`. */
function drawShape(inside: Inside, size: number, rng: Rng): Uint8ClampedArray {
  const scene = drawScene(size, rng);
  const pixels = new Uint8ClampedArray(size * size * CHANNELS);
  for (let row = 0; row < size; row++) {
    const shade = scene.slope * (row / size - 0.5);
    for (let column = 0; column < size; column++) {
      const share = coverage(inside, scene, column, row);
      scene.foreground.forEach((front, channel) => {
        const back = (scene.background[channel] ?? 0) + shade;
        const noise = NOISE * (2 * rng.uniform() - 1);
        pixels[(row * size + column) * CHANNELS + channel] = back + (front - back) * share + noise;
      });
    }
  }
  return pixels;
}

interface ShapeImage {
  readonly file: string;
  readonly inside: Inside;
  readonly rng: Rng;
}

function* plannedImages(folder: string, spec: ShapesSpec): Generator<ShapeImage, void, undefined> {
  const drawings = DRAWINGS.slice(0, spec.classes);
  for (const part of ['train', 'test'] as const) {
    for (let index = 0; index < spec[part]; index++) {
      const drawing = drawings[index % drawings.length];
      if (drawing) {
        const [name, inside] = drawing;
        const file = path.join(folder, part, name, `${String(index).padStart(6, '0')}.png`);
        yield {
          file,
          inside,
          rng: createRng({ seed: spec.seed, stream: `shapes ${part}`, step: index }),
        };
      }
    }
  }
}

async function makeFolders(folder: string, spec: ShapesSpec): Promise<void> {
  for (const part of ['train', 'test']) {
    await rm(path.join(folder, part), { recursive: true, force: true });
    for (const [name] of DRAWINGS.slice(0, spec.classes)) {
      await makeFolder(path.join(folder, part, name));
    }
  }
}

async function writeImages(folder: string, spec: ShapesSpec): Promise<void> {
  const { size } = spec;
  const images = plannedImages(folder, spec);
  const lane = async (): Promise<void> => {
    for (const { file, inside, rng } of images) {
      const raw = { width: size, height: size, channels: CHANNELS } as const;
      await writeFile(
        file,
        await sharp(drawShape(inside, size, rng), { raw })
          .png()
          .toBuffer(),
      );
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Refuses a folder with other files: only those of an earlier set may be removed. */
async function refuseForeign(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (names.length === 0) return;
  throw new TrialError('FILE_UNWRITABLE', {
    where: folder,
    wanted: 'an empty folder for generated images, or one that holds such',
    found: `${names.length} files in it`,
    next: 'Name another folder.',
  });
}

/**
 * Writes a generated data set of drawn shapes as an image folder, `train/<class>/*.png` and
 * `test/<class>/*.png`: colours, places, sizes and angles vary. The same spec gives the same pixels; a
 * folder that already has them is left unchanged.
 *
 * @throws TrialError `DATA_INVALID` when the spec asks for other than 2 to 10 classes;
 * `FILE_UNWRITABLE` when the disk refuses, or the folder holds anything else.
 */
export async function writeShapes(folder: string, spec: ShapesSpec): Promise<void> {
  if (spec.classes < 2 || spec.classes > DRAWINGS.length) {
    throw new TrialError('DATA_INVALID', {
      where: 'generated shapes',
      wanted: `2 to ${DRAWINGS.length} classes`,
      found: String(spec.classes),
      next: 'Choose another number of classes.',
    });
  }
  const marker = path.join(folder, MARKER);
  const wanted = JSON.stringify(spec);
  const found = await readFile(marker, 'utf8').catch(() => null);
  if (found === wanted) {
    return;
  }
  if (found === null) await refuseForeign(folder);
  await unlessUnwritable(folder, async () => {
    await makeFolder(folder);
    // The marker says that the folder is ours and the images are incomplete.
    await writeFile(marker, '');
    await makeFolders(folder, spec);
    await writeImages(folder, spec);
    // Now the images are complete.
    await writeFile(marker, wanted);
  });
}
