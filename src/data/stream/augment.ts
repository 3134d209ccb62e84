import type { Rng } from '../../foundation/rng.ts';
import { CHANNELS } from '../store/image-set.ts';

const PADDING = 4;
/** Images up to this side are shifted; larger ones are cropped and resized. */
const LARGEST_SHIFTED = 64;
/** A resized crop keeps at least this share of the area, and sides within this ratio. */
const LEAST_CROP_AREA = 0.25;
const MOST_CROP_RATIO = 4 / 3;
/** Share of the area that is erased, and the ratio of its sides. */
const LEAST_ERASED_AREA = 0.02;
const MOST_ERASED_AREA = 1 / 3;
const MOST_ERASED_RATIO = 10 / 3;
const FULL = 255;
/** Rec. 601 luma, the reference of saturation. */
const LUMA = [0.299, 0.587, 0.114] as const;

/** Random changes of a training image. */
export interface Augmentation {
  /** `shift`: padded by 4 black pixels and cropped; `resized`: part of it, resized; or none. */
  readonly crop: 'shift' | 'resized' | 'none';
  /** Whether every second image is mirrored left to right. */
  readonly flip: boolean;
  /** Brightness, contrast and saturation change by up to this fraction; 0 for none. */
  readonly jitter: number;
  /** Probability that a rectangle is replaced by noise. */
  readonly erasing: number;
}

/** Settings that suit a size; signs such as digits are never mirrored. */
export function defaultAugmentation(image: {
  readonly size: number;
  readonly digits: boolean;
}): Augmentation {
  const crop = image.size <= LARGEST_SHIFTED ? 'shift' : 'resized';
  return { crop, flip: !image.digits, jitter: 0, erasing: 0 };
}

/** One source image, and the target of its changed copy. */
export interface AugmentedImage {
  /** `uint8 [size, size, 3]`. */
  readonly source: Uint8Array;
  /** `float32 [size, size, 3]`, all zeros; receives intensities in [0, 255]. */
  readonly target: Float32Array;
  readonly size: number;
}

/** Part of the source that fills the target, in pixels; it may reach outside. */
interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

function logUniform(rng: Rng, most: number): number {
  return Math.exp((2 * rng.uniform() - 1) * Math.log(most));
}

function drawWindow({ crop }: Augmentation, size: number, rng: Rng): Window {
  if (crop === 'none') {
    return { top: 0, left: 0, height: size, width: size };
  }
  if (crop === 'shift') {
    const shift = (): number => rng.below(2 * PADDING + 1) - PADDING;
    return { top: shift(), left: shift(), height: size, width: size };
  }
  const area = size * size * (LEAST_CROP_AREA + (1 - LEAST_CROP_AREA) * rng.uniform());
  const ratio = logUniform(rng, MOST_CROP_RATIO);
  const height = Math.min(size, Math.round(Math.sqrt(area / ratio)));
  const width = Math.min(size, Math.round(Math.sqrt(area * ratio)));
  return { top: rng.below(size - height + 1), left: rng.below(size - width + 1), height, width };
}

/** Copies a window of the image's own size; the outside stays black. */
function copyShifted(
  { source, target, size }: AugmentedImage,
  window: Window,
  isFlipped: boolean,
): void {
  const first = Math.max(0, -window.left);
  const last = Math.min(size, size - window.left) - 1;
  for (let row = Math.max(0, -window.top); row < Math.min(size, size - window.top); row++) {
    const fromRow = (row + window.top) * size + window.left;
    for (let column = first; column <= last; column++) {
      const toColumn = isFlipped ? size - 1 - column : column;
      const to = (row * size + toColumn) * CHANNELS;
      const from = (fromRow + column) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++) {
        target[to + channel] = source[from + channel] ?? 0;
      }
    }
  }
}

/** The two neighbours, and their weights, for interpolating each position of an axis. */
interface AxisSample {
  readonly low: number;
  readonly high: number;
  /** Weight of `high`. */
  readonly weight: number;
}

function sampleAxis(start: number, length: number, size: number): AxisSample[] {
  return Array.from({ length: size }, (_, at) => {
    const centre = start + ((at + 0.5) * length) / size - 0.5;
    const place = Math.min(size - 1, Math.max(0, centre));
    const low = Math.floor(place);
    return { low, high: Math.min(size - 1, low + 1), weight: place - low };
  });
}

/** Distances, in array elements, between neighbours along an axis and across it. */
interface Strides {
  readonly along: number;
  readonly across: number;
}

/** Interpolates along one axis of a square image. */
function resampleAxis(
  source: Uint8Array | Float32Array,
  target: Float32Array,
  samples: readonly AxisSample[],
  { along, across }: Strides,
): void {
  for (let line = 0; line < samples.length; line++) {
    samples.forEach(({ low, high, weight }, at) => {
      const to = line * across + at * along;
      const fromLow = line * across + low * along;
      const fromHigh = line * across + high * along;
      for (let channel = 0; channel < CHANNELS; channel++) {
        const first = source[fromLow + channel] ?? 0;
        target[to + channel] = first + ((source[fromHigh + channel] ?? 0) - first) * weight;
      }
    });
  }
}

function copyResized(image: AugmentedImage, window: Window, isFlipped: boolean): void {
  const { source, target, size } = image;
  const rows = sampleAxis(window.top, window.height, size);
  const columns = sampleAxis(window.left, window.width, size);
  const rowLength = size * CHANNELS;
  const narrowed = new Float32Array(source.length);
  resampleAxis(source, narrowed, isFlipped ? columns.reverse() : columns, {
    along: CHANNELS,
    across: rowLength,
  });
  resampleAxis(narrowed, target, rows, { along: rowLength, across: CHANNELS });
}

function clamp(intensity: number): number {
  return Math.min(FULL, Math.max(0, intensity));
}

function luma(pixels: Float32Array, at: number): number {
  return (
    LUMA[0] * (pixels[at] ?? 0) + LUMA[1] * (pixels[at + 1] ?? 0) + LUMA[2] * (pixels[at + 2] ?? 0)
  );
}

/** Changes brightness, then contrast against the mean luma, then saturation against each luma. */
function jitterColours(pixels: Float32Array, strength: number, rng: Rng): void {
  const factor = (): number => 1 + strength * (2 * rng.uniform() - 1);
  const [brightness, contrast, saturation] = [factor(), factor(), factor()];
  let total = 0;
  for (let at = 0; at < pixels.length; at += CHANNELS) {
    total += luma(pixels, at);
  }
  const grey = (brightness * total * CHANNELS) / pixels.length;
  for (let at = 0; at < pixels.length; at += CHANNELS) {
    for (let channel = at; channel < at + CHANNELS; channel++) {
      pixels[channel] = clamp(grey + contrast * (brightness * (pixels[channel] ?? 0) - grey));
    }
    const own = luma(pixels, at);
    for (let channel = at; channel < at + CHANNELS; channel++) {
      pixels[channel] = clamp(own + saturation * ((pixels[channel] ?? 0) - own));
    }
  }
}

/** Replaces a random rectangle by uniform noise. */
function eraseRectangle(pixels: Float32Array, size: number, rng: Rng): void {
  const share = LEAST_ERASED_AREA + (MOST_ERASED_AREA - LEAST_ERASED_AREA) * rng.uniform();
  const ratio = logUniform(rng, MOST_ERASED_RATIO);
  const height = Math.min(size, Math.round(size * Math.sqrt(share / ratio)));
  const width = Math.min(size, Math.round(size * Math.sqrt(share * ratio)));
  const top = rng.below(size - height + 1);
  const left = rng.below(size - width + 1);
  for (let row = top; row < top + height; row++) {
    const start = (row * size + left) * CHANNELS;
    for (let at = start; at < start + width * CHANNELS; at++) {
      pixels[at] = FULL * rng.uniform();
    }
  }
}

/** Writes a randomly changed copy of an image; the draws belong to this image alone. */
export function augmentImage(image: AugmentedImage, settings: Augmentation, rng: Rng): void {
  const isFlipped = settings.flip && rng.uniform() < 0.5;
  const window = drawWindow(settings, image.size, rng);
  if (settings.crop === 'resized') {
    copyResized(image, window, isFlipped);
  } else {
    copyShifted(image, window, isFlipped);
  }
  if (settings.jitter > 0) {
    jitterColours(image.target, settings.jitter, rng);
  }
  if (rng.uniform() < settings.erasing) {
    eraseRectangle(image.target, image.size, rng);
  }
}
