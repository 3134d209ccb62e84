import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { openArchiveFolder, type FolderArchive } from './archive-folder.ts';
import { cifarPart, openCifarArchive, openCifarFolder } from './cifar10.ts';
import { idxName, openIdx } from './idx.ts';
import { READ_EXTENSIONS } from './image-kinds.ts';
import { holdsClasses, openImageFolder } from './image-folder.ts';
import type { DataFormat, ImageSource } from './source.ts';
import { isTarName } from './tar.ts';
import { isZipName } from './zip.ts';

const ARCHIVE_PARTS = [
  { stem: 'train', part: 'train' },
  { stem: 'val', part: 'test' },
  { stem: 'test', part: 'test' },
] as const;

function notFound(where: string, found: string): TrialError {
  return new TrialError('DATA_NOT_FOUND', {
    where,
    wanted:
      `a folder with train/<class>/ or <class>/ that hold images (${READ_EXTENSIONS}), ` +
      'train.tar, train.zip, data_batch_1.bin or train-images-idx3-ubyte, ' +
      'or a .tar, .tar.gz, .tgz or .zip archive',
    found,
    next: 'Check the path, and name the format if it cannot be told from the files.',
  });
}

/** Names in a folder; null for a file. */
async function namesIn(where: string): Promise<string[] | null> {
  try {
    return (await stat(where)).isDirectory() ? (await readdir(where)).sort() : null;
  } catch (cause) {
    throw notFound(where, messageOf(cause));
  }
}

const ARCHIVES = [
  { format: 'tar', isName: isTarName },
  { format: 'zip', isName: isZipName },
] as const;

/** An archive of the training part and, if present, the first of `val` and `test`. */
function archivesIn(
  folder: string,
  names: readonly string[],
  isName: (name: string) => boolean,
): FolderArchive[] {
  const found = ARCHIVE_PARTS.flatMap(({ stem, part }) => {
    const name = names.find((entry) => isName(entry) && entry.split('.')[0] === stem);
    return name === undefined ? [] : [{ path: path.join(folder, name), part }];
  });
  return found.some(({ part }) => part === 'train') ? found.slice(0, 2) : [];
}

async function formatOfFolder(where: string, names: readonly string[]): Promise<DataFormat | null> {
  if (names.includes('train')) {
    return 'image-folder';
  }
  const archives = ARCHIVES.find(({ isName }) => archivesIn('', names, isName).length > 0);
  if (archives !== undefined) {
    return archives.format;
  }
  if (names.some((name) => cifarPart(name) === 'train')) {
    return 'cifar10';
  }
  if (idxName(names, 'train-images-idx3-ubyte') !== null) {
    return 'idx';
  }
  return (await holdsClasses(where)) ? 'image-folder' : null;
}

function formatOfFile(file: string): DataFormat | null {
  const format = ARCHIVES.find(({ isName }) => isName(file))?.format ?? null;
  const isCifar = path.basename(file).startsWith('cifar-10-binary');
  return format !== null && isCifar ? 'cifar10' : format;
}

function openArchives(
  format: 'tar' | 'zip',
  where: string,
  names: readonly string[] | null,
): ImageSource {
  const isName = format === 'tar' ? isTarName : isZipName;
  if (names === null) {
    if (!isName(where)) throw notFound(where, `a file that is not named like a ${format} archive`);
    return openArchiveFolder(where, format, [{ path: where, part: null }]);
  }
  const archives = archivesIn(where, names, isName);
  if (archives.length === 0) throw notFound(where, `no train.${format}`);
  return openArchiveFolder(where, format, archives);
}

async function openAs(
  format: DataFormat,
  where: string,
  names: readonly string[] | null,
): Promise<ImageSource> {
  switch (format) {
    case 'image-folder':
      return openImageFolder(where);
    case 'tar':
    case 'zip':
      return openArchives(format, where, names);
    case 'cifar10':
      return names === null ? openCifarArchive(where) : openCifarFolder(where);
    case 'idx':
      return openIdx(where);
  }
}

/**
 * Opens the data set at a path; `auto` detects the format from the file names.
 *
 * @throws TrialError `DATA_NOT_FOUND` when there is no such path or no format fits;
 * `DATA_INVALID` when files of the format are missing.
 */
export async function locateSource(
  where: string,
  format: DataFormat | 'auto',
): Promise<ImageSource> {
  const names = await namesIn(where);
  const detect = (): DataFormat | null | Promise<DataFormat | null> =>
    names === null ? formatOfFile(where) : formatOfFolder(where, names);
  const chosen = format === 'auto' ? await detect() : format;
  if (chosen === null) {
    throw notFound(
      where,
      names === null ? 'another file' : names.slice(0, 5).join(', ') || 'nothing',
    );
  }
  try {
    return await openAs(chosen, where, names);
  } catch (cause) {
    throw cause instanceof TrialError ? cause : notFound(where, messageOf(cause));
  }
}
