/** Archives of images: what tar and zip have in common. Nothing is unpacked to the disk. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, TrialError } from '../../foundation/errors.ts';

/** Images hardly shrink; what unpacks to 64 MiB and this many times its size is a trap. */
const MAX_EXPANSION = 100;
const SMALL_ARCHIVE = 2 ** 26;

/** A folder or a regular file of an archive, before its bytes are read. */
export interface ArchiveEntry {
  /** Normalised path within the archive, without a slash at its end. */
  readonly name: string;
  readonly isFolder: boolean;
  /**
   * Reads the bytes of a file; to be called before the next entry is asked for, or not at all.
   *
   * @throws Error when there are more than an image file may have, or the file is damaged.
   */
  bytes(): Promise<Buffer>;
}

/** Walks over an archive in its stored order. */
export type ArchiveWalk = (archive: string) => AsyncGenerator<ArchiveEntry, void, undefined>;

/** @throws TrialError `DATA_INVALID` when an archive has unpacked to more bytes than an honest one. */
export type CheckUnpacked = (bytes: number) => void;

/** An archive that is not to be trusted. */
export function refused(archive: string, entry: string, found: string): TrialError {
  return new TrialError('DATA_INVALID', {
    where: `${archive}: ${entry}`,
    wanted: 'regular files with relative paths inside the archive',
    found,
    next: 'Use an archive from a source that you trust.',
  });
}

/** An archive that is not whole. */
export function damaged(archive: string, kind: string, cause: unknown): TrialError {
  const complaint = {
    where: archive,
    wanted: `a complete ${kind} archive`,
    found: messageOf(cause),
    next: 'Fetch the archive again.',
  };
  return new TrialError('DATA_INVALID', complaint, cause);
}

/**
 * Normalises the path of an entry.
 *
 * @param type - Of the entry, as its format calls it.
 * @throws TrialError `DATA_INVALID` for an absolute path, one that leaves the archive, and for what
 *   is neither a file nor a folder: nothing is unpacked, yet such archives are not honest.
 */
export function safePath(archive: string, name: string, type: string): string {
  if (path.posix.isAbsolute(name)) throw refused(archive, name, 'an absolute path');
  if (name.split('/').includes('..')) {
    throw refused(archive, name, 'a path that leaves the archive');
  }
  if (!['file', 'contiguous-file', 'directory'].includes(type)) {
    throw refused(archive, name, `an entry of type ${type}`);
  }
  return path.posix.normalize(name).replace(/\/$/u, '');
}

/**
 * Looks at an archive before it is opened: opening a pipe would wait for ever.
 *
 * @throws TrialError `DATA_INVALID` when there is no regular file.
 */
export async function unpackedLimit(archive: string, kind: string): Promise<CheckUnpacked> {
  const status = await stat(archive).catch((cause: unknown) => {
    throw damaged(archive, kind, cause);
  });
  if (!status.isFile()) throw damaged(archive, kind, 'not a regular file');
  const limit = SMALL_ARCHIVE + MAX_EXPANSION * status.size;
  return (bytes) => {
    if (bytes <= limit) return;
    const found = `more than ${limit} bytes, ${MAX_EXPANSION} times its size`;
    throw refused(archive, 'all of it', found);
  };
}
