import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { TrialError } from '../../foundation/errors.ts';
import { Contents, isHidden, MOST_INNER, TEST_FOLDERS, type Place } from './contents.ts';
import { fileStamp } from './file-stamp.ts';
import { isImageName } from './image-kinds.ts';
import { MAX_IMAGE_BYTES, readWholeFile } from './read-file.ts';
import type { ImageSource, Part, Payload } from './source.ts';

/** A folder's entries without system files, sorted. */
interface Names {
  /** Folders, and links to folders. */
  readonly folders: readonly string[];
  /** Everything else, and any folder that is named like an image. */
  readonly files: readonly string[];
}

async function isFolder(parent: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const status = await stat(path.join(parent, entry.name)).catch(() => null);
  return status?.isDirectory() ?? false;
}

async function namesIn(folder: string): Promise<Names> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = { folders: [] as string[], files: [] as string[] };
  for (const entry of entries.filter(({ name }) => !isHidden(name))) {
    const isInner = (await isFolder(folder, entry)) && !isImageName(entry.name);
    names[isInner ? 'folders' : 'files'].push(entry.name);
  }
  return { folders: names.folders.sort(), files: names.files.sort() };
}

/** Reads the class folders below a root into {@link Contents}; no folder on disk is read twice. */
class FolderReader {
  readonly contents = new Contents();
  readonly #root: string;
  /** Paths of the read folders, by their identity on disk. */
  readonly #known = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** @param folder - Holds the class folders; below the root, or empty for the root itself. */
  async readPart(folder: string, part: Part, classes: readonly string[]): Promise<void> {
    for (const className of classes) {
      const place = { part, className, inner: [] };
      this.contents.addFolder(place);
      await this.#readClass(path.join(folder, className), place);
    }
  }

  async #readClass(folder: string, place: Place): Promise<void> {
    await this.#refuseTwice(folder);
    const { folders, files } = await namesIn(path.join(this.#root, folder));
    for (const name of files) this.contents.add({ ...place, name: path.join(folder, name) });
    for (const name of folders) {
      const inner = [...place.inner, name];
      if (inner.length > MOST_INNER) this.contents.addDeep(place, inner);
      else await this.#readClass(path.join(folder, name), { ...place, inner });
    }
  }

  async #refuseTwice(folder: string): Promise<void> {
    const { dev, ino } = await stat(path.join(this.#root, folder), { bigint: true });
    const key = `${dev} ${ino}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      throw new TrialError('DATA_INVALID', {
        where: this.#root,
        wanted: 'every folder of images once',
        found: `${known} and ${folder}, which are the same folder`,
        next: 'Remove the link: the same images would count twice.',
      });
    }
    this.#known.set(key, folder);
  }
}

/**
 * Whether a folder has parts; without them its folders are the classes. A class may be called `train`:
 * then it holds images and no folders.
 */
async function hasParts(root: string, folders: readonly string[]): Promise<boolean> {
  if (!folders.includes('train')) return false;
  const others = folders.filter((name) => name !== 'train' && !TEST_FOLDERS.includes(name));
  return others.length === 0 || (await namesIn(path.join(root, 'train'))).folders.length > 0;
}

async function readFolder(root: string): Promise<Contents> {
  const reader = new FolderReader(root);
  const { folders, files } = await namesIn(root);
  if (folders.length === 0) throw new Error('there is no folder in it');
  const parts: readonly [folder: string, part: Part][] = (await hasParts(root, folders))
    ? [['train', 'train'], ...testFolder(folders)]
    : [['', 'train']];
  for (const [folder, part] of parts) {
    const names = folder === '' ? { folders, files } : await namesIn(path.join(root, folder));
    for (const file of names.files) {
      const name = path.join(folder, file);
      reader.contents.add({ name, part, className: null, inner: [] });
    }
    await reader.readPart(folder, part, names.folders);
  }
  return reader.contents;
}

function testFolder(folders: readonly string[]): [folder: string, part: Part][] {
  const found = TEST_FOLDERS.find((name) => folders.includes(name));
  return found === undefined ? [] : [[found, 'test']];
}

async function loadImage(root: string, name: string): Promise<Payload> {
  const bytes = await readWholeFile(path.join(root, name), MAX_IMAGE_BYTES);
  return { kind: 'encoded', name, bytes };
}

/** Whether a folder looks like `<class>/image`: some folder in it holds an image. */
export async function holdsClasses(root: string): Promise<boolean> {
  const { folders } = await namesIn(root);
  for (const name of folders) {
    const { files } = await namesIn(path.join(root, name)).catch(() => ({ files: [] }));
    if (files.some(isImageName)) return true;
  }
  return false;
}

/**
 * Reads `train/<class>/`, and `val/` or `test/` of the same form if there is one; or `<class>/`, all
 * of it for training.
 *
 * @throws TrialError `DATA_INVALID` when two class folders are the same one on disk.
 */
export async function openImageFolder(root: string): Promise<ImageSource> {
  const contents = await readFolder(root);
  const { names } = contents;
  return {
    path: root,
    format: 'image-folder',
    signs: false,
    fingerprint: async () => {
      const stamps = await Promise.all(names.map((name) => fileStamp(root, name)));
      return [contents.fingerprint, ...stamps];
    },
    // A promise, so that faults of the data are rejections.
    list: () => Promise.resolve().then(() => contents.listing(root)),
    // eslint-disable-next-line @typescript-eslint/require-await -- load does the waiting
    async *read(wanted) {
      for (const position of [...wanted].sort((a, b) => a - b)) {
        const name = names[position] ?? '';
        yield { position, load: () => loadImage(root, name) };
      }
    },
  };
}
