import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { testReaderContract, type ReaderCase } from '../../contract/image-reader.ts';
import {
  cifarRecord,
  idxFiles,
  solidJpeg,
  solidPng,
  tarEntries,
  writeFiles,
  writeTar,
  type Files,
} from '../support.ts';
import { writeZip, zipEntries } from '../zip.ts';

const TOO_LARGE = 2 ** 26 + 1;

/** Two classes in two parts; `train/blue/b.png` is the second image of the listing. */
async function parts(): Promise<Files> {
  const [red, blue, grey] = [
    await solidPng(255, 0, 0),
    await solidPng(0, 0, 255),
    await solidJpeg(90),
  ];
  return {
    'train/blue/a.png': blue,
    'train/blue/b.png': blue,
    'train/blue/inner/c.jpg': grey,
    'train/red/a.png': red,
    'train/red/b.jpeg': grey,
    'val/blue/d.png': blue,
    'val/red/d.png': red,
    'train/blue/.DS_Store': 'hidden',
  };
}

function reversed(files: Files): Files {
  return Object.fromEntries(Object.entries(files).reverse());
}

async function inImages(folder: string, files: Files): Promise<string> {
  const root = path.join(folder, 'images');
  await writeFiles(root, files);
  return root;
}

/** A case of an archive: its stored order is part of the data, that of its files on disk is not. */
function archiveCase(
  extension: 'tar' | 'tgz' | 'zip',
  pack: (file: string, files: Files) => Promise<void>,
): ReaderCase {
  const file = (folder: string): string => path.join(folder, `set.${extension}`);
  const write = async (folder: string, changed: Files = {}): Promise<string> => {
    await mkdir(folder, { recursive: true });
    const files = { ...(await parts()), ...changed };
    const named = Object.entries(files).map(([name, bytes]) => [`set/${name}`, bytes]);
    await pack(file(folder), Object.fromEntries(named) as Files);
    return file(folder);
  };
  return {
    name: `.${extension}`,
    format: extension === 'zip' ? 'zip' : 'tar',
    write,
    writeReversed: write,
    member: `set.${extension}`,
    damage: async (opened) => {
      await write(path.dirname(opened), { 'train/blue/b.png': 'no image' });
    },
    bloat: async (opened) => {
      const huge = Buffer.alloc(TOO_LARGE);
      await write(path.dirname(opened), { 'train/blue/b.png': huge });
    },
    hasFiles: true,
    parts: ['train', 'test'],
  };
}

const folderCase: ReaderCase = {
  name: 'image folder',
  format: 'image-folder',
  write: async (folder) => inImages(folder, await parts()),
  writeReversed: async (folder) => inImages(folder, reversed(await parts())),
  member: 'images/train/red/b.jpeg',
  damage: (opened) => writeFile(path.join(opened, 'train/blue/b.png'), 'no image'),
  bloat: (opened) => truncate(path.join(opened, 'train/blue/b.png'), TOO_LARGE),
  hasFiles: true,
  parts: ['train', 'test'],
};

/** Class folders without parts: all of it is for training. */
async function plain(): Promise<Files> {
  const files = Object.entries(await parts()).filter(([name]) => name.startsWith('train/'));
  return Object.fromEntries(files.map(([name, bytes]) => [name.replace('train/', ''), bytes]));
}

const plainCase: ReaderCase = {
  ...folderCase,
  name: 'image folder without parts',
  write: async (folder) => inImages(folder, await plain()),
  writeReversed: async (folder) => inImages(folder, reversed(await plain())),
  member: 'images/red/b.jpeg',
  damage: (opened) => writeFile(path.join(opened, 'blue/b.png'), 'no image'),
  bloat: (opened) => truncate(path.join(opened, 'blue/b.png'), TOO_LARGE),
  parts: ['train'],
};

async function asTar(file: string, files: Files): Promise<void> {
  await writeTar(file, tarEntries(files));
}

async function asTgz(file: string, files: Files): Promise<void> {
  await asTar(file, files);
  await writeFile(file, gzipSync(await readFile(file)));
}

async function asZip(file: string, files: Files): Promise<void> {
  await writeZip(file, zipEntries(files));
}

/** A zip whose second image is sound in itself, and not what the archive's checksum says. */
async function zipWithWrongChecksum(opened: string): Promise<void> {
  const files = Object.entries(await parts());
  await writeZip(
    opened,
    files.map(([name, bytes]) => ({ name, bytes, isStored: true })),
  );
  const archive = await readFile(opened);
  const at = archive.indexOf('train/blue/b.png') + 'train/blue/b.png'.length;
  // A byte of the PNG's last checksum: libvips would let it pass.
  archive[at + Buffer.from(files[1]![1]).length - 1]! ^= 1;
  await writeFile(opened, archive);
}

function cifarBatches(): Record<string, Buffer> {
  const records = Array.from({ length: 6 }, (_, at) => cifarRecord(at % 3, [at, 40, 50]));
  return {
    'data_batch_1.bin': Buffer.concat(records.slice(0, 3)),
    'data_batch_2.bin': Buffer.concat(records.slice(3)),
    'test_batch.bin': cifarRecord(2, [7, 8, 9]),
  };
}

const cifarCase: ReaderCase = {
  name: 'CIFAR-10',
  format: 'cifar10',
  write: (folder) => inImages(folder, cifarBatches()),
  writeReversed: (folder) => inImages(folder, reversed(cifarBatches())),
  member: 'images/data_batch_2.bin',
  damage: (opened) => truncate(path.join(opened, 'data_batch_1.bin'), 4000),
  bloat: (opened) => truncate(path.join(opened, 'data_batch_1.bin'), 2 ** 40),
  hasFiles: false,
  parts: ['train', 'test'],
};

function idxSet(): Files {
  return { ...idxFiles(12), ...idxFiles(4, 't10k') };
}

const idxCase: ReaderCase = {
  name: 'IDX',
  format: 'idx',
  write: (folder) => inImages(folder, idxSet()),
  writeReversed: (folder) => inImages(folder, reversed(idxSet())),
  member: 'images/train-labels-idx1-ubyte',
  damage: (opened) => truncate(path.join(opened, 'train-labels-idx1-ubyte'), 9),
  bloat: (opened) => truncate(path.join(opened, 'train-labels-idx1-ubyte'), 2 ** 40),
  hasFiles: false,
  parts: ['train', 'test'],
};

testReaderContract(folderCase);
testReaderContract(plainCase);
testReaderContract(archiveCase('tar', asTar));
testReaderContract(archiveCase('tgz', asTgz));
testReaderContract(archiveCase('zip', asZip));
testReaderContract({
  ...archiveCase('zip', asZip),
  name: '.zip with a wrong checksum',
  damage: zipWithWrongChecksum,
});
testReaderContract(cifarCase);
testReaderContract(idxCase);
