import { createReadStream } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { messageOf, TrialError } from '../foundation/errors.ts';

/** One regular file of an archive, before its bytes are read. */
export interface TarFile {
  /** Normalised path within the archive. */
  readonly name: string;
  /** Reads the bytes; to be called before the next file is asked for, or not at all. */
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

async function bytesOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
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
  const input = createReadStream(archive);
  const unpacked = archive.endsWith('.tar') ? input : input.pipe(createGunzip());
  const entries = extract();
  const fail = (cause: Error): void => {
    entries.destroy(cause);
  };
  input.on('error', fail);
  unpacked.on('error', fail);
  unpacked.pipe(entries);
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

function damaged(archive: string, cause: unknown): TrialError {
  const complaint = {
    where: archive,
    wanted: 'a complete tar archive',
    found: messageOf(cause),
    next: 'Fetch the archive again.',
  };
  return new TrialError('DATA_INVALID', complaint, cause);
}
