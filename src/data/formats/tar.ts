import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { checkFileSize, MAX_IMAGE_BYTES } from './read-file.ts';

/** Images hardly shrink in gzip; what unpacks to 64 MiB and this many times its size is a trap. */
const MAX_EXPANSION = 100;
const SMALL_ARCHIVE = 2 ** 26;

/** An archive ends with blocks of zeros. */
const BLOCK_BYTES = 512;

/** One regular file of an archive, before its bytes are read. */
export interface TarFile {
  /** Normalised path within the archive. */
  readonly name: string;
  /**
   * Reads the bytes; to be called before the next file is asked for, or not at all.
   *
   * @throws Error when there are more than an image file may have.
   */
  bytes(): Promise<Buffer>;
}

/** Whether a path is named like an archive that {@link tarFiles} reads. */
export function isTarName(name: string): boolean {
  return /\.(?:tar|tar\.gz|tgz)$/iu.test(name);
}

function refuse(archive: string, entry: string, found: string): TrialError {
  return new TrialError('DATA_INVALID', {
    where: `${archive}: ${entry}`,
    wanted: 'regular files with relative paths inside the archive',
    found,
    next: 'Use an archive from a source that you trust.',
  });
}

/** Path of a file, or null for a folder. Nothing is unpacked, yet such archives are not honest. */
function safeName(archive: string, { name, type }: Header): string | null {
  if (path.posix.isAbsolute(name)) {
    throw refuse(archive, name, 'an absolute path');
  }
  if (name.split('/').includes('..')) {
    throw refuse(archive, name, 'a path that leaves the archive');
  }
  if (type === 'directory') {
    return null;
  }
  if (type !== 'file' && type !== 'contiguous-file') {
    throw refuse(archive, name, `an entry of type ${type}`);
  }
  return path.posix.normalize(name);
}

async function bytesOf(
  entry: AsyncIterable<unknown> & { readonly header: Header },
): Promise<Buffer> {
  checkFileSize(entry.header.size, MAX_IMAGE_BYTES);
  const chunks: Buffer[] = [];
  for await (const chunk of entry) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/**
 * Walks over the regular files of a `.tar`, `.tar.gz` or `.tgz` archive in their stored order.
 *
 * @throws TrialError `DATA_INVALID` for a damaged archive, and for absolute paths, `..` and links.
 */
export async function* tarFiles(archive: string): AsyncGenerator<TarFile, void, undefined> {
  const limit = SMALL_ARCHIVE + MAX_EXPANSION * (await sizeOf(archive));
  const input = createReadStream(archive);
  const unpacked = /\.tar$/iu.test(archive) ? input : input.pipe(createGunzip());
  const bounded = boundedBy(archive, limit);
  const entries = extract();
  const fail = (cause: Error): void => {
    entries.destroy(cause);
  };
  input.on('error', fail);
  unpacked.on('error', fail);
  bounded.on('error', fail);
  unpacked.pipe(bounded).pipe(entries);
  try {
    for await (const entry of entries) {
      const name = safeName(archive, entry.header);
      if (name !== null) {
        yield { name, bytes: () => bytesOf(entry) };
      }
      entry.resume();
    }
  } catch (cause) {
    throw cause instanceof TrialError ? cause : damaged(archive, cause);
  } finally {
    input.destroy();
    await finished(input, { cleanup: true }).catch(() => undefined);
  }
}

async function sizeOf(archive: string): Promise<number> {
  const status = await stat(archive).catch((cause: unknown) => {
    throw damaged(archive, cause);
  });
  if (!status.isFile()) {
    throw damaged(archive, 'not a regular file');
  }
  return status.size;
}

/**
 * Passes bytes on until they are more than an honest archive unpacks to. One that was cut between
 * two entries lacks nothing but the end.
 */
function boundedBy(archive: string, limit: number): Transform {
  let passed = 0;
  let last = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      last = Buffer.concat([last, chunk.subarray(-BLOCK_BYTES)]).subarray(-BLOCK_BYTES);
      if (passed > limit) {
        done(refuse(archive, 'gzip', `more than ${limit} bytes, ${MAX_EXPANSION} times its size`));
      } else {
        done(null, chunk);
      }
    },
    flush(done) {
      const isWhole = last.length === BLOCK_BYTES && last.every((byte) => byte === 0);
      done(isWhole ? null : damaged(archive, 'no mark of its end: it was cut'));
    },
  });
}

function damaged(archive: string, cause: unknown): TrialError {
  const complaint = {
    where: archive,
    wanted: 'a complete tar archive',
    found: messageOf(cause),
    next: 'Fetch the archive again.',
  };
  return new TrialError('DATA_INVALID', complaint, cause);
}
