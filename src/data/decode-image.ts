import sharp, { type Sharp } from 'sharp';
import { CHANNELS } from './image-set.ts';
import type { Payload } from './source.ts';

// One thread an image and no memory of it: several images are decoded at a time.
sharp.concurrency(1);
sharp.cache(false);

/** Larger images are refused before any of their pixels is decoded: 8192 x 8192. */
const MAX_PIXELS = 2 ** 26;
const SIGNATURES = [Buffer.from([0xff, 0xd8, 0xff]), Buffer.from([0x89, 0x50, 0x4e, 0x47])];

/** Opens only what the signature says is JPEG or PNG: file names prove nothing. */
function openEncoded(bytes: Uint8Array): Sharp {
  const isKnown = SIGNATURES.some((signature) =>
    signature.equals(bytes.subarray(0, signature.length)),
  );
  if (!isKnown) {
    throw new Error(bytes.length === 0 ? 'the file is empty' : 'neither JPEG nor PNG');
  }
  return sharp(bytes, { limitInputPixels: MAX_PIXELS }).autoOrient();
}

/**
 * Decodes one image, `uint8 [size, size, 3]` in sRGB; other shapes are cropped at their centre.
 *
 * @throws Error with the reason when the image is damaged, too large or of another kind.
 */
export async function decodePixels(payload: Payload, size: number): Promise<Uint8Array> {
  if (payload.kind === 'pixels' && payload.side === size) {
    return payload.pixels;
  }
  const image =
    payload.kind === 'encoded'
      ? openEncoded(payload.bytes)
      : sharp(payload.pixels, {
          raw: { width: payload.side, height: payload.side, channels: CHANNELS },
        });
  return image
    .resize(size, size, { fit: 'cover' })
    .flatten({ background: '#000000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer();
}
