import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { openDataset, type Dataset } from '../../../src/data/store/dataset.ts';
import { surveyImages } from '../../../src/data/survey.ts';
import {
  inFolder,
  options,
  recordingLogger,
  redAndBlue,
  solidPng,
  tarEntries,
  writeFiles,
  writeTar,
  type Files,
} from '../support.ts';
import { writeZip, zipEntries } from '../zip.ts';

/** Puts each file one folder deeper. */
function below(root: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [root + name, bytes]));
}

/** Opens the same files as a folder, a tar and a zip; what differs is an error of the test. */
async function everyWay(folder: string, files: Files): Promise<[Promise<Dataset>, string][]> {
  const root = path.join(folder, 'images');
  await writeFiles(root, files);
  await writeTar(path.join(folder, 'set.tar'), tarEntries(files));
  await writeZip(path.join(folder, 'set.zip'), zipEntries(files));
  return ['images', 'set.tar', 'set.zip'].map((name) => {
    const opening = openDataset(options(folder, { path: path.join(folder, name) }));
    // It is awaited later.
    opening.catch(() => undefined);
    return [opening, name];
  });
}

describe('files that are not read', () => {
  it('are counted in a warning by their extension, those that systems hide are not', async () => {
    await inFolder(async (folder) => {
      const files = {
        ...(await redAndBlue()),
        'train/red/a.bmp': 'BM',
        'train/red/b.BMP': 'BM',
        'train/blue/labels.txt': 'blue',
        'train/blue/LICENSE': 'free',
        'train/c.png': 'beside the classes',
        'val/red/c.heic': 'x',
        'train/red/.DS_Store': 'x',
        'train/red/Thumbs.db': 'x',
        'train/.cache/x.png': 'x',
        '__MACOSX/train/red/._a.png': 'x',
      };
      for (const [opening, name] of await everyWay(folder, files)) {
        const { train, test, unread } = await opening;
        assert.deepEqual([train.count, test?.count], [4, 2], name);
        const kinds = { '.bmp': 2, '.heic': 1, '.png in no class folder': 1, '.txt': 1 };
        assert.deepEqual(unread, { ...kinds, 'without an extension': 1 }, name);
        // From the cache by now.
        const logger = recordingLogger();
        await openDataset(options(folder, { path: path.join(folder, name), logger }));
        assert.ok(
          logger.lines.includes(
            'warning images: in the class folders, not read: 2 .bmp, 1 .heic, ' +
              '1 .png in no class folder, 1 .txt, 1 without an extension',
          ),
          logger.lines.join('\n'),
        );
      }
    });
  });

  it('make an error of a class that holds nothing else, or nothing', async () => {
    await inFolder(async (folder) => {
      const files = { ...(await redAndBlue()), 'train/green/a.bmp': 'BM', 'train/green/b.gz': '' };
      for (const [opening, name] of await everyWay(folder, files)) {
        await assert.rejects(
          opening,
          {
            code: 'DATA_INVALID',
            message: /class "green": wanted training images \(.*found none, but 1 \.bmp, 1 \.gz\./u,
          },
          name,
        );
      }
      await inFolder(async (other) => {
        const root = path.join(other, 'images');
        await writeFiles(root, await redAndBlue());
        const opened = await openDataset(options(other));
        assert.equal(opened.classes.length, 2);
        // After it has been cached.
        await mkdir(path.join(root, 'train/green'));
        const empty = { code: 'DATA_INVALID', message: /class "green": .*found an empty folder/u };
        await assert.rejects(openDataset(options(other)), empty);
        await assert.rejects(surveyImages(root, 'auto'), empty);
        const archive = path.join(other, 'set.tar');
        const entries = tarEntries(await redAndBlue());
        await writeTar(archive, [...entries, { name: 'train/green/', type: 'directory' }]);
        await assert.rejects(openDataset(options(other, { path: archive })), empty);
      });
    });
  });

  it('are an error where they are all that a class has left after damage', async () => {
    await inFolder(async (folder) => {
      const image = await solidPng(1, 2, 3);
      const names = Array.from({ length: 150 }, (_, at) => `train/${at % 2 ? 'a' : 'b'}/${at}.png`);
      const files = Object.fromEntries(names.map((name) => [name, image]));
      await writeFiles(path.join(folder, 'images'), { ...files, 'train/c/x.png': 'no image' });
      await assert.rejects(openDataset(options(folder)), {
        code: 'DATA_INVALID',
        message: /class "c": .*none that can be used: train\/c\/x\.png \(none of JPEG/u,
      });
    });
  });
});

describe('folders in class folders', () => {
  it('are read one level deep, and named when they are deeper', async () => {
    await inFolder(async (folder) => {
      const { 'train/red/a.png': image = '' } = await redAndBlue();
      const files = {
        'train/n01/images/0.png': image,
        'train/n01/images/1.png': image,
        'train/n02/images/0.png': image,
        'train/n02/images/more/1.png': image,
        'train/n02/images/more/2.png': image,
      };
      for (const [opening, name] of await everyWay(folder, files)) {
        const { classes, train, unread } = await opening;
        assert.deepEqual([classes, [...train.labels], unread], [['n01', 'n02'], [0, 0, 1], { folder: 1 }], name); // prettier-ignore
      }
    });
  });
});

describe('links to folders', () => {
  it('are read where they lead to a folder that is nowhere else', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await writeFiles(root, await redAndBlue());
      const wanted = await openDataset(options(folder));
      await rename(path.join(root, 'train/red'), path.join(folder, 'elsewhere'));
      await symlink(path.join(folder, 'elsewhere'), path.join(root, 'train/red'));
      await symlink('nowhere', path.join(root, 'train/dangling'));
      const linked = await openDataset(options(folder));
      assert.deepEqual(linked, wanted);
    });
  });

  it('are an error that names both paths where a folder would be read twice', async () => {
    for (const [link, target, both] of [
      ['train/scarlet', 'red', /train\/red and train\/scarlet, which are the same folder/u],
      ['test', 'train', /train\/blue and test\/blue, which are the same/u],
      ['train/red/again', '../red', /train\/red and train\/red\/again, which are the same/u],
    ] as const) {
      await inFolder(async (folder) => {
        const root = path.join(folder, 'images');
        await writeFiles(root, await redAndBlue('other'));
        await symlink(target, path.join(root, link));
        await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID', message: both });
      });
    }
  });
});

describe('class folders without parts', () => {
  async function plain(): Promise<Files> {
    const { 'train/red/a.png': red = '', 'train/blue/a.png': blue = '' } = await redAndBlue();
    const files = { 'blue/a.png': blue, 'blue/b.png': blue, 'red/a.png': red, 'red/b.png': red };
    return { ...files, 'README.md': 'of the person who made it' };
  }

  it('are all for training, in a folder and in archives, with a root folder or none', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'with parts'), await redAndBlue('none'));
      const wanted = await openDataset(options(folder, { path: path.join(folder, 'with parts') }));
      for (const [opening, name] of await everyWay(folder, await plain())) {
        const found = await opening;
        assert.equal(found.test, null);
        assert.deepEqual(found, wanted, name);
      }
      for (const root of ['set/', './', 'deep/set/']) {
        const file = path.join(folder, 'rooted.zip');
        await writeZip(file, zipEntries(below(root, await plain())));
        assert.deepEqual(await openDataset(options(folder, { path: file })), wanted, root);
      }
    });
  });

  it('may be called train or test', async () => {
    await inFolder(async (folder) => {
      const image = await solidPng(1, 2, 3);
      const files = { 'bus/a.png': image, 'test/a.png': image, 'train/a.png': image };
      for (const [opening, name] of await everyWay(folder, files)) {
        const { classes, test } = await opening;
        assert.deepEqual([classes, test], [['bus', 'test', 'train'], null], name);
      }
    });
  });

  it('are not looked for where no folder holds an image', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), { 'a/x.bmp': 'BM', 'b/y.txt': '' });
      await assert.rejects(openDataset(options(folder)), {
        code: 'DATA_NOT_FOUND',
        message: /<class>\/ that hold images \(\.jpg.*found a, b/u,
      });
      const named = openDataset(options(folder, { format: 'image-folder' }));
      await assert.rejects(named, { code: 'DATA_INVALID', message: /class "a".*1 \.bmp/u });
    });
  });
});

describe('zip archives side by side', () => {
  it('are the parts that their names say', async () => {
    await inFolder(async (folder) => {
      const files = Object.entries(await redAndBlue('test'));
      await mkdir(path.join(folder, 'images'));
      for (const part of ['train', 'test']) {
        const inner = files
          .filter(([name]) => name.startsWith(part))
          .map(([name, bytes]) => ({ name: name.replace(`${part}/`, ''), bytes }));
        await writeZip(path.join(folder, 'images', `${part}.zip`), inner);
      }
      const data = await openDataset(options(folder));
      assert.deepEqual([...data.train.labels], [0, 0, 1, 1]);
      assert.deepEqual([...(data.test?.labels ?? [])], [0, 1]);
    });
  });
});

describe('pipes and devices', { timeout: 60_000 }, () => {
  const files = {
    image: ['pipe'],
    archives: ['pipe.tar', 'pipe.tgz', 'pipe.zip', 'cifar-10-binary.tar.gz', 'cifar-10-binary.zip'],
  };

  it('are no data set', async () => {
    await inFolder(async (folder) => {
      for (const name of [...files.image, ...files.archives]) {
        const pipe = path.join(folder, name);
        execFileSync('mkfifo', [pipe]);
        for (const format of ['auto', 'image-folder', 'tar', 'zip', 'cifar10', 'idx'] as const) {
          const opening = openDataset(options(folder, { path: pipe, format }));
          await assert.rejects(opening, ({ code }: { code?: string }) => code?.startsWith('DATA_'));
        }
      }
      await assert.rejects(openDataset(options(folder, { path: '/dev/zero' })), {
        code: 'DATA_NOT_FOUND',
      });
    });
  });

  it('are no part of one', async () => {
    for (const name of [
      'train.tar',
      'train.zip',
      'data_batch_1.bin',
      'train-images-idx3-ubyte',
      'train-labels-idx1-ubyte.gz',
    ]) {
      await inFolder(async (folder) => {
        const root = path.join(folder, 'images');
        await writeFiles(root, { 'train-images-idx3-ubyte': 'x', 'train-labels-idx1-ubyte': 'x' });
        await mkdir(path.join(root, 'other'));
        execFileSync('rm', ['-f', path.join(root, name), path.join(root, name.replace('.gz', ''))]);
        execFileSync('mkfifo', [path.join(root, name)]);
        await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID' }, name);
      });
    }
  });

  it('are counted beside images, and never opened', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await writeFiles(root, await redAndBlue());
      execFileSync('mkfifo', [path.join(root, 'train/red/pipe')]);
      execFileSync('mkfifo', [path.join(root, 'train/pipe')]);
      await symlink('/dev/zero', path.join(root, 'train/blue/zero.raw'));
      const { unread } = await openDataset(options(folder));
      assert.deepEqual(unread, { '.raw': 1, 'without an extension': 1 });
    });
  });
});
