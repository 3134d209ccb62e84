import sharp, { type Sharp } from 'sharp';
import { messageOf } from '../foundation/errors.ts';
import { CHANNELS, createImageSet, imageAt, type ImageSet } from './image-set.ts';
import type { ImageSource, ListedImage, Listing, Part, Payload } from './source.ts';

/** Larger images are refused before any of their pixels is decoded: 8192 x 8192. */
const MAX_PIXELS = 2 ** 26;
/** Images that are read and decoded at a time; libuv's four threads stay busy. */
const LANES = 8;
const SIGNATURES = [Buffer.from([0xff, 0xd8, 0xff]), Buffer.from([0x89, 0x50, 0x4e, 0x47])];

/** An image that could not be used. */
export interface SkippedImage {
  readonly name: string;
  readonly reason: string;
}

/** What decoding a data set gives. */
export interface DecodedParts {
  readonly train: ImageSet;
  readonly test: ImageSet | null;
  readonly skipped: readonly SkippedImage[];
}

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

/** Where one listed image goes. */
interface Slot {
  readonly image: ListedImage;
  readonly set: ImageSet;
  readonly index: number;
}

function reserveParts(
  listing: Listing,
  wanted: readonly number[],
  size: number,
): Map<Part, ImageSet> {
  const parts = new Map<Part, ImageSet>();
  for (const part of ['train', 'test'] as const) {
    const count = wanted.filter((position) => listing.images[position]?.part === part).length;
    parts.set(part, createImageSet({ count, size, classes: listing.classes }));
  }
  return parts;
}

function assignSlots(
  listing: Listing,
  wanted: readonly number[],
  parts: ReadonlyMap<Part, ImageSet>,
): Map<number, Slot> {
  const filled: Record<Part, number> = { train: 0, test: 0 };
  const slots = new Map<number, Slot>();
  for (const position of wanted) {
    const image = listing.images[position];
    const set = image && parts.get(image.part);
    if (image && set) {
      const index = filled[image.part]++;
      set.labels[index] = image.label;
      slots.set(position, { image, set, index });
    }
  }
  return slots;
}

/** Closes the gaps that skipped images have left. */
function withoutGaps(set: ImageSet, gaps: ReadonlySet<number>): ImageSet {
  if (gaps.size === 0) {
    return set;
  }
  const kept = createImageSet({ ...set, count: set.count - gaps.size });
  let next = 0;
  for (let index = 0; index < set.count; index++) {
    if (!gaps.has(index)) {
      imageAt(kept, next).set(imageAt(set, index));
      kept.labels.set(set.labels.subarray(index, index + 1), next);
      next++;
    }
  }
  return kept;
}

/** Decodes into the slots and returns the reasons of those that failed. */
async function fillSlots(
  source: ImageSource,
  slots: ReadonlyMap<number, Slot>,
): Promise<Map<Slot, string>> {
  const failed = new Map<Slot, string>();
  const images = source.read(new Set(slots.keys()));
  const lane = async (): Promise<void> => {
    for await (const { position, load } of images) {
      const slot = slots.get(position);
      if (!slot) {
        continue;
      }
      try {
        imageAt(slot.set, slot.index).set(await decodePixels(await load(), slot.set.size));
      } catch (thrown) {
        failed.set(slot, messageOf(thrown).trim());
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return failed;
}

/**
 * Decodes the wanted positions of a listing; damaged images are left out and named.
 *
 * @returns Parts in the order of the listing; `test` is null when nothing of it was wanted.
 */
export async function decodeParts(
  source: ImageSource,
  listing: Listing,
  options: { readonly wanted: readonly number[]; readonly size: number },
): Promise<DecodedParts> {
  // One thread an image: the lanes already keep the processors busy.
  sharp.concurrency(1);
  sharp.cache(false);
  const parts = reserveParts(listing, options.wanted, options.size);
  const slots = assignSlots(listing, options.wanted, parts);
  const failed = await fillSlots(source, slots);
  const lost = [...slots.values()].filter((slot) => failed.has(slot));
  const finish = (part: Part): ImageSet => {
    const gaps = lost.filter(({ image }) => image.part === part).map(({ index }) => index);
    const set = parts.get(part) ?? createImageSet({ ...options, count: 0, classes: [] });
    return withoutGaps(set, new Set(gaps));
  };
  const test = finish('test');
  const skipped = lost.map((slot) => ({
    name: slot.image.name,
    reason: failed.get(slot) ?? '',
  }));
  return { train: finish('train'), test: test.count > 0 ? test : null, skipped };
}
