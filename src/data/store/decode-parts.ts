import { messageOf, TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { decodePixels } from '../formats/decode-image.ts';
import type {
  ImageSource,
  ListedImage,
  Listing,
  Part,
  ReadableImage,
  UnreadFiles,
} from '../formats/source.ts';
import { createImageSet, imageAt, pixelsSha256, type ImageSet } from './image-set.ts';
import { Quarantine, type SkippedImage } from './quarantine.ts';

/** Images that are read and decoded at a time; libuv's four threads stay busy. */
const LANES = 8;
/** Images between two lines of progress. */
const PROGRESS = 10_000;

/** System errors that concern one image; others may be temporary. */
const OWN_FAULTS: readonly unknown[] = ['EACCES', 'EISDIR', 'ELOOP', 'ENOENT', 'ENOTDIR', 'EPERM'];

/** A decoded data set. */
export interface DecodedParts {
  readonly train: ImageSet;
  /** Test images; null if the data set has none. */
  readonly test: ImageSet | null;
  readonly skipped: readonly SkippedImage[];
  readonly unread: UnreadFiles;
  /** Of both parts, one after the other. */
  readonly pixelsSha256: string;
}

/** The wanted images of a listing, and how to decode them. */
export interface DecodeOptions {
  /** Positions in the listing, ascending. */
  readonly wanted: readonly number[];
  /** Height and width in pixels. */
  readonly size: number;
  readonly logger: Logger;
}

/** Target of one listed image. */
interface Slot {
  readonly image: ListedImage;
  readonly set: ImageSet;
  readonly index: number;
  /** Place among the wanted images. */
  readonly rank: number;
}

type ImageSets = Readonly<Record<Part, ImageSet>>;

function reserveSets({ classes, images }: Listing, { wanted, size }: DecodeOptions): ImageSets {
  const reserve = (part: Part): ImageSet => {
    const count = wanted.filter((position) => images[position]?.part === part).length;
    return createImageSet({ count, size, classes });
  };
  return { train: reserve('train'), test: reserve('test') };
}

function assignSlots(
  { images }: Listing,
  wanted: readonly number[],
  sets: ImageSets,
): Map<number, Slot> {
  const filled: Record<Part, number> = { train: 0, test: 0 };
  const slots = new Map<number, Slot>();
  for (const position of wanted) {
    const image = images[position];
    if (image) {
      const index = filled[image.part]++;
      sets[image.part].labels[index] = image.label;
      slots.set(position, { image, set: sets[image.part], index, rank: slots.size });
    }
  }
  return slots;
}

/** Closes the gaps of skipped images. */
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

/**
 * Decodes into one slot. Returns the reason for an unusable image.
 *
 * @throws TrialError `FILE_UNREADABLE` when the system fails.
 */
async function fillSlot(
  { image, set, index }: Slot,
  { load }: ReadableImage,
): Promise<string | null> {
  try {
    imageAt(set, index).set(await decodePixels(await load(), set.size));
    return null;
  } catch (thrown) {
    if (isOwnFault(thrown)) return messageOf(thrown);
    const complaint = {
      where: image.name,
      wanted: 'a disk that gives its files',
      found: messageOf(thrown),
      next: 'Check the disk and the limit on open files, then try again; or remove this image.',
    };
    throw new TrialError('FILE_UNREADABLE', complaint, thrown);
  }
}

/** Whether an error concerns the image and would occur again. */
function isOwnFault(thrown: unknown): boolean {
  const isSystem = thrown instanceof Error && 'syscall' in thrown && 'code' in thrown;
  return !isSystem || OWN_FAULTS.includes(thrown.code);
}

/** Decodes into the slots until all are full or too many have failed. */
async function fillSlots(
  source: ImageSource,
  slots: ReadonlyMap<number, Slot>,
  logger: Logger,
): Promise<Quarantine> {
  const quarantine = new Quarantine(slots.size);
  const images = source.read(new Set(slots.keys()));
  let done = 0;
  const lane = async (): Promise<void> => {
    for await (const image of images) {
      const slot = slots.get(image.position);
      const reason = slot && (await fillSlot(slot, image));
      if (slot && typeof reason === 'string') {
        quarantine.add(slot.rank, { name: slot.image.name, reason });
      }
      if (quarantine.isExceeded) return;
      if (++done % PROGRESS === 0) {
        logger.log('info', `images: ${done} of ${slots.size} decoded`);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return quarantine;
}

/**
 * Decodes the wanted positions of a listing; damaged images are left out and named.
 *
 * @returns Parts in the order of the listing; `test` is null when it has no image.
 * @throws TrialError `DATA_INVALID` when more are damaged than a {@link Quarantine} takes,
 * `FILE_UNREADABLE` when the system, not the image, is at fault.
 */
export async function decodeParts(
  source: ImageSource,
  listing: Listing,
  options: DecodeOptions,
): Promise<DecodedParts> {
  const sets = reserveSets(listing, options);
  const slots = assignSlots(listing, options.wanted, sets);
  const quarantine = await fillSlots(source, slots, options.logger);
  quarantine.check(source.path);
  const { skipped } = quarantine;
  const lost = [...slots.values()].filter(({ rank }) => skipped.has(rank));
  const finish = (set: ImageSet): ImageSet => {
    const gaps = lost.filter((slot) => slot.set === set).map(({ index }) => index);
    return withoutGaps(set, new Set(gaps));
  };
  const [train, test] = [finish(sets.train), finish(sets.test)];
  return {
    train,
    test: test.count > 0 ? test : null,
    skipped: [...skipped.values()],
    unread: listing.unread,
    pixelsSha256: pixelsSha256(train, test),
  };
}
