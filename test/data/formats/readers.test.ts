import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { imageAt } from '../../../src/data/store/image-set.ts';
import { openDataset } from '../../../src/data/store/dataset.ts';
import {
  cifarRecord,
  idxFiles,
  inFolder,
  options,
  redAndBlue,
  tarEntries,
  writeFiles,
  writeTar,
} from '../support.ts';

function firstPixel(images: Uint8Array): number[] {
  return [...images.subarray(0, 3)];
}

describe('image folder', () => {
  it('numbers the classes alphabetically and reads val/ as the test part', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      const data = await openDataset(options(folder));
      assert.deepEqual(data.classes, ['blue', 'red']);
      assert.deepEqual([...data.train.labels], [0, 0, 1, 1]);
      assert.deepEqual(firstPixel(imageAt(data.train, 3)), [255, 0, 0]);
      assert.deepEqual([...(data.test?.labels ?? [])], [0, 1]);
      assert.equal(data.digits, false);
    });
  });

  it('has no test part where there is neither val/ nor test/', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue('other'));
      assert.equal((await openDataset(options(folder))).test, null);
    });
  });

  it('takes at most maxImages of a part and keeps the classes in proportion', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      const data = await openDataset(options(folder, { maxImages: 2 }));
      assert.deepEqual([...data.train.labels], [0, 1]);
    });
  });

  it('counts classes that are named by digits as signs', async () => {
    await inFolder(async (folder) => {
      const { 'train/red/a.png': image } = await redAndBlue();
      assert.ok(image);
      const files = { 'train/0/a.png': image, 'train/1/a.png': image };
      await writeFiles(path.join(folder, 'images'), files);
      assert.equal((await openDataset(options(folder))).digits, true);
    });
  });

  it('refuses a single class, a class that only the test part has, and an empty folder', async () => {
    await inFolder(async (folder) => {
      const { 'train/red/a.png': image } = await redAndBlue();
      assert.ok(image);
      const root = path.join(folder, 'images');
      await mkdir(root);
      await assert.rejects(openDataset(options(folder)), { code: 'DATA_NOT_FOUND' });
      await writeFiles(root, { 'train/red/a.png': image });
      await assert.rejects(openDataset(options(folder)), /1 training images of 1 classes/u);
      await writeFiles(root, { 'train/blue/a.png': image, 'val/green/a.png': image });
      await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID' });
    });
  });

  it('says which path is missing', async () => {
    await inFolder(async (folder) => {
      await assert.rejects(openDataset(options(folder)), { code: 'DATA_NOT_FOUND' });
      await mkdir(path.join(folder, 'images'));
      const forced = options(folder, { format: 'image-folder' });
      await assert.rejects(openDataset(forced), { code: 'DATA_NOT_FOUND' });
    });
  });
});

describe('tar', () => {
  it('gives the same as the folder it was made of, gzipped or not, below a root folder', async () => {
    await inFolder(async (folder) => {
      const files = await redAndBlue('test');
      await writeFiles(path.join(folder, 'images'), files);
      const wanted = await openDataset(options(folder));
      const entries = tarEntries(files).map((entry) => ({ ...entry, name: `set/${entry.name}` }));
      const plain = path.join(folder, 'set.tar');
      await writeTar(plain, [{ name: 'set/', type: 'directory' }, ...entries]);
      await writeFile(path.join(folder, 'set.tgz'), gzipSync(await readFile(plain)));
      await copyFile(plain, path.join(folder, 'SET.TAR'));
      for (const name of ['set.tar', 'set.tgz', 'SET.TAR']) {
        const data = await openDataset(options(folder, { path: path.join(folder, name) }));
        assert.deepEqual(data, wanted);
      }
    });
  });

  it('reads train.tar and test.tar that lie side by side', async () => {
    await inFolder(async (folder) => {
      const files = Object.entries(await redAndBlue('test'));
      await mkdir(path.join(folder, 'images'));
      for (const part of ['train', 'test']) {
        const members = files.filter(([name]) => name.startsWith(part));
        const inner = members.map(([name, bytes]) => ({
          name: name.replace(`${part}/`, ''),
          bytes,
        }));
        await writeTar(path.join(folder, 'images', `${part}.tar`), inner);
      }
      const data = await openDataset(options(folder));
      assert.deepEqual([...data.train.labels], [0, 0, 1, 1]);
      assert.deepEqual([...(data.test?.labels ?? [])], [0, 1]);
    });
  });

  it('says that a cut archive is damaged', async () => {
    await inFolder(async (folder) => {
      const file = path.join(folder, 'cut.tar');
      await writeTar(file, tarEntries(await redAndBlue()));
      const whole = await readFile(file);
      const gzipped = gzipSync(whole);
      await writeFile(file, whole.subarray(0, 1200));
      await writeFile(path.join(folder, 'cut.tgz'), gzipped.subarray(0, gzipped.length / 2));
      // Between two entries: all that is lacking is the mark of the end.
      await writeFile(path.join(folder, 'endless.tar'), whole.subarray(0, -1024));
      for (const name of ['cut.tar', 'cut.tgz', 'endless.tar']) {
        const cut = openDataset(options(folder, { path: path.join(folder, name) }));
        await assert.rejects(cut, { code: 'DATA_INVALID' });
      }
    });
  });
});

describe('CIFAR-10 binary', () => {
  const red = cifarRecord(0, [200, 10, 20]);
  const files = {
    'data_batch_2.bin': cifarRecord(9, [1, 2, 3]),
    'data_batch_1.bin': red,
    'test_batch.bin': cifarRecord(5, [4, 5, 6]),
  };

  it('turns planes into pixels and reads the batches in order', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), files);
      const data = await openDataset(options(folder, { imageSize: 32 }));
      assert.deepEqual([...data.train.labels], [0, 9]);
      assert.equal(data.classes[9], 'truck');
      assert.deepEqual(firstPixel(imageAt(data.train, 0)), [200, 10, 20]);
      assert.deepEqual([...(data.test?.labels ?? [])], [5]);
    });
  });

  it('reads the official archive and resizes', async () => {
    await inFolder(async (folder) => {
      const plain = path.join(folder, 'plain.tar');
      const entries = tarEntries(files);
      await writeTar(
        plain,
        entries.map((entry) => ({ ...entry, name: `cifar-10-batches-bin/${entry.name}` })),
      );
      const archive = path.join(folder, 'cifar-10-binary.tar.gz');
      await writeFile(archive, gzipSync(await readFile(plain)));
      const data = await openDataset(options(folder, { path: archive, imageSize: 16 }));
      assert.equal(data.train.images.length, 2 * 16 * 16 * 3);
      assert.deepEqual(firstPixel(imageAt(data.train, 0)), [200, 10, 20]);
    });
  });

  it('refuses a cut file and a label that is none', async () => {
    for (const bytes of [red.subarray(0, 3000), cifarRecord(10, [0, 0, 0])]) {
      await inFolder(async (folder) => {
        await writeFiles(path.join(folder, 'images'), { 'data_batch_1.bin': bytes });
        await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID' });
      });
    }
  });
});

describe('IDX', () => {
  it('pads 28 to 32 pixels, makes grey RGB, and counts unknown classes as signs', async () => {
    await inFolder(async (folder) => {
      const files = { ...idxFiles(12), ...idxFiles(3, 't10k') };
      await writeFiles(path.join(folder, 'images'), files);
      const data = await openDataset(options(folder, { imageSize: 32 }));
      const image = imageAt(data.train, 4);
      const at = (row: number, column: number): number[] =>
        firstPixel(image.subarray((row * 32 + column) * 3));
      assert.deepEqual(at(1, 2), [0, 0, 0]);
      assert.deepEqual(at(2, 2), [5, 5, 5]);
      assert.deepEqual(at(29, 29), [5, 5, 5]);
      assert.deepEqual(at(30, 29), [0, 0, 0]);
      assert.equal(data.digits, true);
      assert.equal(data.test?.count, 3);
    });
  });

  it('knows the classes of Fashion-MNIST by the name of its folder, and mirrors them', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'fashion-mnist');
      await writeFiles(root, idxFiles(10));
      const data = await openDataset(options(folder, { path: root }));
      assert.equal(data.classes[9], 'ankle-boot');
      assert.equal(data.digits, false);
    });
  });

  it('refuses files that are cut, damaged or not IDX', async () => {
    const good = idxFiles(4);
    const images = good['train-images-idx3-ubyte.gz']!;
    for (const bad of [
      { 'train-images-idx3-ubyte.gz': images.subarray(0, 30) },
      { 'train-images-idx3-ubyte.gz': gzipSync(Buffer.alloc(100)) },
      { 'train-labels-idx1-ubyte': good['train-labels-idx1-ubyte']!.subarray(0, 10) },
      { 'train-labels-idx1-ubyte': idxFiles(5)['train-labels-idx1-ubyte']! },
    ]) {
      await inFolder(async (folder) => {
        await writeFiles(path.join(folder, 'images'), { ...good, ...bad });
        await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID' });
      });
    }
  });
});
