import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { getFileNameLowLevel, openPromise, type Entry, type ZipFile } from 'yauzl';
import { TrialError } from '../../foundation/errors.ts';
import { damaged, safePath, unpackedLimit, type ArchiveEntry } from './archive.ts';
import { checkFileSize, MAX_IMAGE_BYTES } from './read-file.ts';

/** Types of files, as Unix stores them in the upper half of an entry's attributes. */
const UNIX = 3;
const TYPE_MASK = 0o170000;
const TYPES: Readonly<Record<number, string>> = {
  0o010000: 'fifo',
  0o020000: 'character-device',
  0o060000: 'block-device',
  0o120000: 'symlink',
  0o140000: 'socket',
};

/** Whether a path is named like an archive that {@link walkZip} reads. */
export function isZipName(name: string): boolean {
  return /\.zip$/iu.test(name);
}

function nameOf({ generalPurposeBitFlag, fileNameRaw, extraFields }: Entry): string {
  return getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, false);
}

function typeOf({ versionMadeBy, externalFileAttributes }: Entry, name: string): string {
  const mode = versionMadeBy >>> 8 === UNIX ? externalFileAttributes >>> 16 : 0;
  return TYPES[mode & TYPE_MASK] ?? (name.endsWith('/') ? 'directory' : 'file');
}

/** Reads a file; its size and checksum must match the directory. */
async function bytesOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  checkFileSize(entry.uncompressedSize, MAX_IMAGE_BYTES);
  const bytes = await buffer(await zip.openReadStreamPromise(entry));
  if (crc32(bytes) !== entry.crc32) throw new Error('damaged in the archive');
  return bytes;
}

/**
 * Walks over a `.zip` archive in the order of its directory.
 *
 * @throws TrialError `DATA_INVALID` for a damaged archive, and for absolute paths, `..` and links.
 */
export async function* walkZip(archive: string): AsyncGenerator<ArchiveEntry, void, undefined> {
  const checkUnpacked = await unpackedLimit(archive, 'zip');
  let unpacked = 0;
  let zip: ZipFile | undefined;
  try {
    // Names are decoded here for better messages.
    zip = await openPromise(archive, { decodeStrings: false, autoClose: false });
    for await (const entry of zip.eachEntry()) {
      unpacked += entry.uncompressedSize;
      checkUnpacked(unpacked);
      const [name, opened] = [nameOf(entry), zip];
      const type = typeOf(entry, name);
      yield {
        name: safePath(archive, name, type),
        isFolder: type === 'directory',
        bytes: () => bytesOf(opened, entry),
      };
    }
  } catch (cause) {
    throw cause instanceof TrialError ? cause : damaged(archive, 'zip', cause);
  } finally {
    zip?.close();
  }
}
