import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileStamp } from './file-stamp.ts';
import { isImageName, listingOf, type LabelledPath } from './labelled-paths.ts';
import { MAX_IMAGE_BYTES, readWholeFile } from './read-file.ts';
import type { ImageSource, Part, Payload } from './source.ts';

/** Folders of the test part; the first that exists is it. */
const TEST_FOLDERS = ['val', 'test'];

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .sort();
}

async function imagesBelow(root: string, folder: string, part: Part): Promise<LabelledPath[]> {
  const found: LabelledPath[] = [];
  for (const className of await subfolders(path.join(root, folder))) {
    const names = await readdir(path.join(root, folder, className));
    for (const file of names.filter(isImageName).sort()) {
      found.push({ name: path.join(folder, className, file), part, className });
    }
  }
  return found;
}

async function labelledPaths(root: string): Promise<LabelledPath[]> {
  const folders = await subfolders(root);
  const testFolder = TEST_FOLDERS.find((name) => folders.includes(name));
  const training = await imagesBelow(root, 'train', 'train');
  return testFolder === undefined
    ? training
    : [...training, ...(await imagesBelow(root, testFolder, 'test'))];
}

async function loadImage(root: string, name: string): Promise<Payload> {
  return {
    kind: 'encoded',
    name,
    bytes: await readWholeFile(path.join(root, name), MAX_IMAGE_BYTES),
  };
}

/** Reads `train/<class>/*.jpg|jpeg|png`, and `val/` or `test/` of the same form if there is one. */
export async function openImageFolder(root: string): Promise<ImageSource> {
  const paths = await labelledPaths(root);
  return {
    path: root,
    format: 'image-folder',
    signs: false,
    fingerprint: async () => Promise.all(paths.map(({ name }) => fileStamp(root, name))),
    list: () => Promise.resolve(listingOf(root, paths)),
    // eslint-disable-next-line @typescript-eslint/require-await -- load does the waiting
    async *read(wanted) {
      for (const position of wanted) {
        const name = paths[position]?.name ?? '';
        yield { position, load: () => loadImage(root, name) };
      }
    },
  };
}
