import { createReadStream } from 'node:fs';
import { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { TrialError } from '../../foundation/errors.ts';
import {
  damaged,
  safePath,
  unpackedLimit,
  type ArchiveEntry,
  type CheckUnpacked,
} from './archive.ts';
import { checkFileSize, MAX_IMAGE_BYTES } from './read-file.ts';

/** An archive ends with blocks of zeros. */
const BLOCK_BYTES = 512;

/** Whether a path is named like an archive that {@link walkTar} reads. */
export function isTarName(name: string): boolean {
  return /\.(?:tar|tar\.gz|tgz)$/iu.test(name);
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
 * Walks over a `.tar`, `.tar.gz` or `.tgz` archive in its stored order.
 *
 * @throws TrialError `DATA_INVALID` for a damaged archive, and for absolute paths, `..` and links.
 */
export async function* walkTar(archive: string): AsyncGenerator<ArchiveEntry, void, undefined> {
  const checkUnpacked = await unpackedLimit(archive, 'tar');
  const input = createReadStream(archive);
  const unpacked = /\.tar$/iu.test(archive) ? input : input.pipe(createGunzip());
  const bounded = boundedBy(archive, checkUnpacked);
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
      const { name, type } = entry.header;
      yield {
        name: safePath(archive, name, type),
        isFolder: type === 'directory',
        bytes: () => bytesOf(entry),
      };
      entry.resume();
    }
  } catch (cause) {
    throw cause instanceof TrialError ? cause : damaged(archive, 'tar', cause);
  } finally {
    input.destroy();
    await finished(input, { cleanup: true }).catch(() => undefined);
  }
}

/**
 * Passes bytes on, up to the most that an honest archive unpacks to. An archive that was cut between
 * two entries lacks only its end.
 */
function boundedBy(archive: string, checkUnpacked: CheckUnpacked): Transform {
  let passed = 0;
  let last = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      last = Buffer.concat([last, chunk.subarray(-BLOCK_BYTES)]).subarray(-BLOCK_BYTES);
      try {
        checkUnpacked(passed);
        done(null, chunk);
      } catch (cause) {
        done(cause as TrialError);
      }
    },
    flush(done) {
      const isWhole = last.length === BLOCK_BYTES && last.every((byte) => byte === 0);
      done(isWhole ? null : damaged(archive, 'tar', 'no mark of its end: it was cut'));
    },
  });
}
