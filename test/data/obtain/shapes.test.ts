import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { openDataset } from '../../../src/data/store/dataset.ts';
import { imageAt } from '../../../src/data/store/image-set.ts';
import { writeShapes } from '../../../src/data/obtain/shapes.ts';
import { inFolder, options, writeFiles } from '../support.ts';

const SPEC = { classes: 10, train: 40, test: 10, size: 24, seed: 1 };

describe('writeShapes', () => {
  it('writes an image folder with every class in both parts', async () => {
    await inFolder(async (folder) => {
      await writeShapes(path.join(folder, 'images'), SPEC);
      const data = await openDataset(options(folder, { imageSize: 24 }));
      assert.equal(data.classes.length, 10);
      assert.deepEqual([data.train.count, data.test?.count], [40, 10]);
      for (let label = 0; label < 10; label++) {
        assert.equal(data.train.labels.filter((other) => other === label).length, 4);
      }
      const images = Array.from({ length: 40 }, (_, at) =>
        Buffer.from(imageAt(data.train, at)).toString('hex'),
      );
      assert.equal(new Set(images).size, 40);
      assert.deepEqual(data.skipped, []);
    });
  });

  it('gives the same bytes for the same spec and others for another seed', async () => {
    await inFolder(async (folder) => {
      const file = 'train/star/000007.png';
      const read = async (name: string): Promise<Buffer> => readFile(path.join(folder, name, file));
      await writeShapes(path.join(folder, 'a'), SPEC);
      await writeShapes(path.join(folder, 'b'), SPEC);
      await writeShapes(path.join(folder, 'c'), { ...SPEC, seed: 2 });
      assert.deepEqual(await read('a'), await read('b'));
      assert.notDeepEqual(await read('a'), await read('c'));
    });
  });

  it('leaves a complete folder alone and finishes one that was interrupted', async () => {
    await inFolder(async (folder) => {
      const file = path.join(folder, 'train/star/000007.png');
      await writeShapes(folder, SPEC);
      const { mtimeMs } = await stat(file);
      await writeShapes(folder, SPEC);
      assert.equal((await stat(file)).mtimeMs, mtimeMs);
      await rm(file);
      await writeFile(path.join(folder, 'shapes.json'), '');
      await writeShapes(folder, SPEC);
      assert.ok((await stat(file)).size > 0);
    });
  });

  it('removes nothing from a folder that is not its own', async () => {
    await inFolder(async (folder) => {
      await writeFiles(folder, { 'train/cat/mine.png': 'somebody took this' });
      await assert.rejects(writeShapes(folder, SPEC), { code: 'FILE_UNWRITABLE' });
      assert.ok((await stat(path.join(folder, 'train/cat/mine.png'))).size > 0);
    });
  });

  it('refuses more classes than it can draw', async () => {
    await inFolder(async (folder) => {
      await assert.rejects(writeShapes(folder, { ...SPEC, classes: 11 }), { code: 'DATA_INVALID' });
    });
  });
});
