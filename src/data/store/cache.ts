import { createHash } from 'node:crypto';
import { constants, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { replaceFile } from '../../foundation/atomic-file.ts';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { makeFolder } from '../../foundation/files.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { UnreadFiles } from '../formats/source.ts';
import type { DecodedParts } from './decode-parts.ts';
import { createImageSet, pixelsSha256, type ImageSet } from './image-set.ts';
import type { SkippedImage } from './quarantine.ts';

/**
 * A cache file: magic number, length of the header (uint32, little endian), SHA-256 of the header,
 * header in JSON, then the pixels of the training part and those of the test part, whose SHA-256 is
 * in the header. The header gives the size, so that a truncated file is noticed.
 */
const MAGIC = 'CREAM-4\n';
const DIGEST_START = MAGIC.length + 4;
const PREFIX_BYTES = DIGEST_START + 32;
/** Linux moves at most 2 GiB in one call. */
const CHUNK_BYTES = 2 ** 30;

interface CacheHeader {
  readonly size: number;
  readonly classes: readonly string[];
  readonly trainLabels: readonly number[];
  readonly testLabels: readonly number[];
  readonly skipped: readonly SkippedImage[];
  readonly unread: UnreadFiles;
  readonly pixelsSha256: string;
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += (await file.write(bytes, at, Math.min(CHUNK_BYTES, bytes.length - at))).bytesWritten;
  }
}

/** Fills `bytes` from a position; false if the file is too short. */
async function readAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  for (let at = 0; at < bytes.length;) {
    const length = Math.min(CHUNK_BYTES, bytes.length - at);
    const { bytesRead } = await file.read(bytes, at, length, position + at);
    if (bytesRead === 0) {
      return false;
    }
    at += bytesRead;
  }
  return true;
}

function digestOf(header: Buffer): Buffer {
  return createHash('sha256').update(header).digest();
}

function headerOf({ train, test, skipped, unread, pixelsSha256 }: DecodedParts): Buffer {
  const header: CacheHeader = {
    size: train.size,
    classes: train.classes,
    trainLabels: [...train.labels],
    testLabels: test ? [...test.labels] : [],
    skipped,
    unread,
    pixelsSha256,
  };
  return Buffer.from(JSON.stringify(header));
}

async function writeParts(file: string, parts: DecodedParts): Promise<void> {
  const header = headerOf(parts);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.write(MAGIC, 'latin1');
  prefix.writeUInt32LE(header.length, MAGIC.length);
  digestOf(header).copy(prefix, DIGEST_START);
  const handle = await open(file, 'w');
  try {
    for (const bytes of [prefix, header, parts.train.images, parts.test?.images]) {
      await writeAll(handle, bytes ?? Buffer.alloc(0));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @throws TrialError `FILE_UNWRITABLE` when the disk refuses `work`. */
async function unlessRefused(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const complaint = {
      where: file,
      wanted: 'a folder that can be written to, with room for the decoded images',
      found: messageOf(cause),
      next: 'Free disk space or choose another cache folder.',
    };
    throw new TrialError('FILE_UNWRITABLE', complaint, cause);
  }
}

/**
 * Creates the folder of a cache file before the long decoding, which needs it.
 *
 * @throws TrialError `FILE_UNWRITABLE`
 */
export async function prepareCache(file: string): Promise<void> {
  await unlessRefused(file, () => makeFolder(path.dirname(file)));
}

/**
 * Writes decoded parts atomically, even under a power cut. The folder exists.
 *
 * @throws TrialError `FILE_UNWRITABLE` when the disk refuses.
 */
export async function writeCache(file: string, parts: DecodedParts): Promise<void> {
  await unlessRefused(file, () => replaceFile(file, (partial) => writeParts(partial, parts)));
}

async function readHeader(file: FileHandle): Promise<CacheHeader | null> {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  const isWhole = await readAll(file, prefix, 0);
  if (!isWhole || prefix.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    return null;
  }
  const length = prefix.readUInt32LE(MAGIC.length);
  if (length > (await file.stat()).size) {
    return null;
  }
  const text = Buffer.alloc(length);
  const isSound =
    (await readAll(file, text, PREFIX_BYTES)) &&
    digestOf(text).equals(prefix.subarray(DIGEST_START));
  return isSound ? (JSON.parse(text.toString()) as CacheHeader) : null;
}

function reserve(header: CacheHeader, labels: readonly number[]): ImageSet {
  const { size, classes } = header;
  const set = createImageSet({ count: labels.length, size, classes });
  set.labels.set(labels);
  return set;
}

async function readParts(file: FileHandle): Promise<DecodedParts | null> {
  const header = await readHeader(file);
  if (!header) {
    return null;
  }
  const train = reserve(header, header.trainLabels);
  const test = reserve(header, header.testLabels);
  const { size } = await file.stat();
  const start = size - train.images.length - test.images.length;
  const isWhole =
    start === PREFIX_BYTES + Buffer.byteLength(JSON.stringify(header)) &&
    (await readAll(file, train.images, start)) &&
    (await readAll(file, test.images, start + train.images.length));
  const digest = isWhole ? pixelsSha256(train, test) : null;
  if (digest !== header.pixelsSha256) return null;
  const { skipped, unread } = header;
  return { train, test: test.count > 0 ? test : null, skipped, unread, pixelsSha256: digest };
}

/** Reads a cache file; null if there is none or, with a warning, if it is unusable. */
export async function readCache(file: string, logger: Logger): Promise<DecodedParts | null> {
  const pass = (reason: string): null => {
    logger.log('warning', `images: passed over the cache ${file}: ${reason}`);
    return null;
  };
  let handle: FileHandle | undefined;
  try {
    // Opening a pipe would wait for a writer.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    return (await readParts(handle)) ?? pass('it is damaged');
  } catch (thrown) {
    if (!(thrown instanceof Error && 'errno' in thrown)) throw thrown;
    return 'code' in thrown && thrown.code === 'ENOENT' ? null : pass(thrown.message);
  } finally {
    await handle?.close();
  }
}
