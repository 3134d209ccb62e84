import sharp, { type Sharp } from 'sharp';
import { CHANNELS } from '../store/image-set.ts';
import { checkKind } from './image-kinds.ts';
import type { EncodedImage, Payload } from './source.ts';

// One thread per image and no cache: several images are decoded at a time.
sharp.concurrency(1);
sharp.cache(false);

/** Larger images are refused by their header, before decoding. */
const MAX_SIDE = 32_768;
/** 8192 x 8192. */
const MAX_PIXELS = 2 ** 26;
/** Red, green, blue and transparency. */
const MOST_CHANNELS = 4;
/** Pixel types with a known full intensity: unsigned, 8 and 16 bits. */
const DEPTHS: readonly (string | undefined)[] = ['uchar', 'ushort'];

/** Damage is an error: missing parts are never filled with grey. */
function openBytes(bytes: Uint8Array): Sharp {
  return sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'warning' });
}

/** An image's header; pixels, before its orientation is applied. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
}

/**
 * Checks the format, dimensions and colours in an image's header.
 *
 * @throws Error with the reason for a refusal.
 */
export async function headerOf(encoded: EncodedImage): Promise<ImageHeader> {
  checkKind(encoded);
  // Checked here for better messages.
  const header = sharp(encoded.bytes, { limitInputPixels: false, limitInputChannels: false });
  const { width, height, channels, space, depth } = await orDamaged(header.metadata());
  if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new Error(
      `${width} x ${height} pixels: at most ${MAX_SIDE} a side and ${MAX_PIXELS} in all are decoded`,
    );
  }
  if (space === 'cmyk') {
    throw new Error('CMYK colours: convert it to RGB');
  }
  if (channels > MOST_CHANNELS) {
    throw new Error(`${channels} channels: convert it to RGB`);
  }
  if (!DEPTHS.includes(depth)) {
    throw new Error(`pixels of type ${depth}, whose range is not known: convert it to 8 bits`);
  }
  return { width, height };
}

/** Checks an image's name, signature and header, and decodes the rows that a crop would skip. */
async function openEncoded(encoded: EncodedImage): Promise<Sharp> {
  const { bytes } = encoded;
  const { width, height } = await headerOf(encoded);
  if (height > width) {
    // A crop of the centre skips the last rows, but a file without them is damaged.
    await orDamaged(openBytes(bytes).resize(1, 1, { fit: 'fill' }).raw().toBuffer());
  }
  return openBytes(bytes).autoOrient();
}

/** One reason for all faults: libvips mixes the messages of images that fail at the same time. */
async function orDamaged<T>(decoding: Promise<T>): Promise<T> {
  try {
    return await decoding;
  } catch (cause) {
    throw new Error('damaged or cut short', { cause });
  }
}

/**
 * Decodes one image to `uint8 [size, size, 3]` in sRGB. Crops the centre of other shapes; reads only
 * the first frame or page.
 *
 * @throws Error with the reason when the image is damaged, too large, in CMYK or of another kind than
 * its name says.
 */
export async function decodePixels(payload: Payload, size: number): Promise<Uint8Array> {
  if (payload.kind === 'pixels' && payload.side === size) {
    return payload.pixels;
  }
  const image =
    payload.kind === 'encoded'
      ? await openEncoded(payload)
      : sharp(payload.pixels, {
          raw: { width: payload.side, height: payload.side, channels: CHANNELS },
        });
  const square = image
    .resize(size, size, { fit: 'cover' })
    .flatten({ background: '#000000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' });
  return orDamaged(square.toBuffer());
}
