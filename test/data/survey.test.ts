import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { openDataset } from '../../src/data/store/dataset.ts';
import { surveyImages } from '../../src/data/survey.ts';
import {
  cifarRecord,
  idxFiles,
  inFolder,
  options,
  tarEntries,
  writeFiles,
  writeTar,
  type Files,
} from './support.ts';

async function wide(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#808080' } })
    .png()
    .toBuffer();
}

/** `count` images a class, named so that their order is that of their numbers. */
function images(part: string, counts: Readonly<Record<string, number>>, bytes: Buffer): Files {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([name, count]) =>
      Array.from({ length: count }, (_, at) => [
        `${part}/${name}/${String(at).padStart(4, '0')}.png`,
        bytes,
      ]),
    ),
  );
}

describe('surveyImages', () => {
  it('counts the images of each class and part, and measures their shorter side', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await writeFiles(root, images('train', { dog: 3000, cat: 1500 }, await wide(40, 24)));
      await writeFiles(root, images('val', { dog: 3, cat: 2 }, await wide(20, 99)));
      const survey = await surveyImages(root, 'auto');
      assert.deepEqual(survey, {
        format: 'image-folder',
        classes: [
          { name: 'cat', train: 1500, test: 2 },
          { name: 'dog', train: 3000, test: 3 },
        ],
        trainImages: 4500,
        testImages: 5,
        medianSide: 24,
        signs: false,
        skippedByKind: {},
        warnings: [
          '450 of 4500 training images are held out, 100 of them in the validation split and 50 to ' +
            'confirm the answer: an accuracy of 0.5 has a standard error of 0.050 in the split, too ' +
            'much to tell paths apart',
        ],
      });
      assert.deepEqual(await surveyImages(root, 'image-folder'), survey);
    });
  });

  it('reads an archive like the folder it was made of', async () => {
    await inFolder(async (folder) => {
      const files = images('train', { a: 40, b: 40 }, await wide(9, 7));
      await writeFiles(path.join(folder, 'images'), files);
      const archive = path.join(folder, 'set.tar');
      await writeTar(archive, tarEntries(files));
      const { format, ...wanted } = await surveyImages(path.join(folder, 'images'), 'auto');
      const found = await surveyImages(archive, 'auto');
      assert.deepEqual([format, found.format], ['image-folder', 'tar']);
      assert.deepEqual({ ...found, format }, { ...wanted, format });
    });
  });

  it('knows the side of CIFAR-10 and of IDX files, and that those show signs', async () => {
    await inFolder(async (folder) => {
      const records = Array.from({ length: 300 }, (_, at) => cifarRecord(at % 10, [1, 2, 3]));
      const cifar = path.join(folder, 'cifar');
      await writeFiles(cifar, { 'data_batch_1.bin': Buffer.concat(records) });
      const first = await surveyImages(cifar, 'auto');
      assert.deepEqual([first.format, first.medianSide, first.signs], ['cifar10', 32, false]);
      assert.deepEqual(first.classes[9], { name: 'truck', train: 30, test: 0 });
      const digits = path.join(folder, 'digits');
      await writeFiles(digits, idxFiles(300));
      const second = await surveyImages(digits, 'auto');
      assert.deepEqual([second.format, second.medianSide, second.signs], ['idx', 32, true]);
    });
  });

  it('warns of classes of one image, classes without a test image, and damaged images', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      const image = await wide(8, 8);
      await writeFiles(root, images('train', { a: 120, b: 1, c: 1 }, image));
      await writeFiles(root, images('val', { a: 1 }, image));
      await writeFiles(root, { 'train/a/0010.png': 'no image' });
      const { warnings } = await surveyImages(root, 'auto');
      assert.deepEqual(warnings.slice(0, 2), [
        '2 of the classes with a single training image, too few to train and to validate on: "b", "c"',
        '2 of the classes without a test image: "b", "c"',
      ]);
      assert.match(warnings[2]!, /^12 of 122 .* 4 of them .*standard error of 0\.25 in the split/u);
      assert.match(warnings[3]!, /^1 of 64 images .* such as train\/a\/0010\.png: /u);
    });
  });

  it('fails with the error that opening would fail with', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      const fails = async (code: string, text: RegExp): Promise<void> => {
        await assert.rejects(surveyImages(root, 'auto'), { code, message: text });
      };
      await fails('DATA_NOT_FOUND', /ENOENT/u);
      await mkdir(root);
      await fails('DATA_NOT_FOUND', /found nothing/u);
      await writeFiles(root, images('train', { a: 50, b: 9 }, Buffer.from('no image')));
      await fails('DATA_INVALID', /at least 60 for 2 classes; found 59/u);
      await writeFiles(root, images('train', { a: 50, b: 10 }, Buffer.from('no image')));
      await fails('DATA_INVALID', /none among the 60 that were looked at: train\/a\/0000\.png/u);
      await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID' });
    });
  });
});
