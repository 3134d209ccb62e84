import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { cifarPart, openCifarArchive, openCifarFolder } from './cifar10.ts';
import { idxName, openIdx } from './idx.ts';
import { openImageFolder } from './image-folder.ts';
import type { DataFormat, ImageSource } from './source.ts';
import { openTarFolder, type FolderArchive } from './tar-folder.ts';
import { isTarName } from './tar.ts';

const ARCHIVE_PARTS = [
  { stem: 'train', part: 'train' },
  { stem: 'val', part: 'test' },
  { stem: 'test', part: 'test' },
] as const;

function notFound(where: string, found: string): TrialError {
  return new TrialError('DATA_NOT_FOUND', {
    where,
    wanted:
      'a folder with train/<class>/, train.tar, data_batch_1.bin or train-images-idx3-ubyte, ' +
      'or a .tar, .tar.gz or .tgz archive',
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

/** `train.tar` and, if there is one, the first of `val.tar` and `test.tar`. */
function archivesIn(folder: string, names: readonly string[]): FolderArchive[] {
  const found = ARCHIVE_PARTS.flatMap(({ stem, part }) => {
    const name = names.find((entry) => isTarName(entry) && entry.split('.')[0] === stem);
    return name === undefined ? [] : [{ path: path.join(folder, name), part }];
  });
  return found.some(({ part }) => part === 'train') ? found.slice(0, 2) : [];
}

function formatOfFolder(names: readonly string[]): DataFormat | null {
  if (names.includes('train')) {
    return 'image-folder';
  }
  if (archivesIn('', names).length > 0) {
    return 'tar';
  }
  if (names.some((name) => cifarPart(name) === 'train')) {
    return 'cifar10';
  }
  return idxName(names, 'train-images-idx3-ubyte') === null ? null : 'idx';
}

function formatOfFile(file: string): DataFormat | null {
  if (!isTarName(file)) {
    return null;
  }
  return path.basename(file).startsWith('cifar-10-binary') ? 'cifar10' : 'tar';
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
      return openTarFolder(
        where,
        names === null ? [{ path: where, part: null }] : archivesIn(where, names),
      );
    case 'cifar10':
      return names === null ? openCifarArchive(where) : openCifarFolder(where);
    case 'idx':
      return openIdx(where);
  }
}

/**
 * Opens the data set at a path; `auto` tells the format from the names of the files.
 *
 * @throws TrialError `DATA_NOT_FOUND` when there is no such path or no format fits;
 * `DATA_INVALID` when files of the format are missing.
 */
export async function locateSource(
  where: string,
  format: DataFormat | 'auto',
): Promise<ImageSource> {
  const names = await namesIn(where);
  const detected = names === null ? formatOfFile(where) : formatOfFolder(names);
  const chosen = format === 'auto' ? detected : format;
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
