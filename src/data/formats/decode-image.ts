import sharp, { type Sharp } from 'sharp';
import { CHANNELS } from '../store/image-set.ts';
import { checkKind } from './image-kinds.ts';
import type { EncodedImage, Payload } from './source.ts';

// One thread an image and no memory of it: several images are decoded at a time.
sharp.concurrency(1);
sharp.cache(false);

/** Larger images are refused by their header, before any of their pixels is decoded. */
const MAX_SIDE = 32_768;
/** 8192 x 8192. */
const MAX_PIXELS = 2 ** 26;
/** Red, green, blue and transparency. */
const MOST_CHANNELS = 4;
/** Types of pixels whose full intensity is known: 8 and 16 bits without a sign. */
const DEPTHS: readonly (string | undefined)[] = ['uchar', 'ushort'];

/** A missing or damaged part is an error: it is never filled with grey. */
function openBytes(bytes: Uint8Array): Sharp {
  return sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'warning' });
}

/** What an image claims to be, in pixels, before its orientation is applied. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
}

/**
 * Checks the format, dimensions and colours that an image claims.
 *
 * @throws Error with the reason when it is not decoded.
 */
export async function headerOf(encoded: EncodedImage): Promise<ImageHeader> {
  checkKind(encoded);
  // The limits are checked here, where the message can say more.
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

/** Checks an image by its name, signature and header, and decodes the rows that a crop would not. */
async function openEncoded(encoded: EncodedImage): Promise<Sharp> {
  const { bytes } = encoded;
  const { width, height } = await headerOf(encoded);
  if (height > width) {
    // The centre is cropped without the last rows, and a file that lacks only those is damaged too.
    await orDamaged(openBytes(bytes).resize(1, 1, { fit: 'fill' }).raw().toBuffer());
  }
  return openBytes(bytes).autoOrient();
}

/** Gives one reason for all faults: libvips mixes the messages of images that fail at one time. */
async function orDamaged<T>(decoding: Promise<T>): Promise<T> {
  try {
    return await decoding;
  } catch (cause) {
    throw new Error('damaged or cut short', { cause });
  }
}

/**
 * Decodes one image, `uint8 [size, size, 3]` in sRGB; other shapes are cropped at their centre. Of
 * several frames or pages the first one counts.
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
