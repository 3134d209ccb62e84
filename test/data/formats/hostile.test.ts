import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { openDataset } from '../../../src/data/store/dataset.ts';
import {
  idxFiles,
  inFolder,
  openWithLittleMemory,
  options,
  redAndBlue,
  solidPng,
  tarEntries,
  writeFiles,
  writeTar,
} from '../support.ts';
import { writeZip, zipBytes, zipEntries } from '../zip.ts';

describe('hostile archives', () => {
  for (const [what, entry] of [
    ['an absolute path', { name: '/train/red/a.png' }],
    ['a path that leaves the archive', { name: 'train/../../a.png' }],
    ['an entry of type symlink', { name: 'train/red/b.png', type: 'symlink', linkname: '/etc' }],
    ['an entry of type fifo', { name: 'train/red/b.png', type: 'fifo' }],
    ['an entry of type character-device', { name: 'train/red/b', type: 'character-device' }],
    ['an entry of type block-device', { name: 'train/red/b', type: 'block-device' }],
    ['a path that leaves the archive', { name: 'other/../../b.txt' }],
    ['an absolute path', { name: '/notes/', type: 'directory' }],
    ['an entry of type link', { name: 'train/red/b.png', type: 'link', linkname: 'train/red/a' }],
  ] as const) {
    it(`refuses ${what}: ${entry.name}`, async () => {
      await inFolder(async (folder) => {
        const file = path.join(folder, 'bad.tar');
        await writeTar(file, [...tarEntries(await redAndBlue()), entry]);
        await assert.rejects(openDataset(options(folder, { path: file })), (thrown: Error) => {
          assert.equal((thrown as { code?: string }).code, 'DATA_INVALID');
          assert.ok(thrown.message.includes(what), thrown.message);
          return true;
        });
      });
    });
  }

  for (const [what, entry] of [
    ['an absolute path', { name: '/train/red/a.png' }],
    ['a path that leaves the archive', { name: 'train/../../a.png' }],
    ['a path that leaves the archive', { name: 'train\\..\\..\\a.png' }],
    ['an entry of type symlink', { name: 'train/red/b.png', mode: 0o120777, bytes: '/etc' }],
    ['an entry of type fifo', { name: 'train/red/b.png', mode: 0o010644 }],
    ['an entry of type block-device', { name: 'train/red/b', mode: 0o060644 }],
    ['more than 67', { name: 'train/red/b.png', claimedSize: 0xf0000000 }],
    ['strong encryption is not supported', { name: 'train/red/b.png', flags: 0x40 }],
  ] as const) {
    it(`refuses a zip archive with ${what}: ${entry.name}`, async () => {
      await inFolder(async (folder) => {
        const file = path.join(folder, 'bad.zip');
        await writeZip(file, [...zipEntries(await redAndBlue()), entry]);
        const opening = openDataset(options(folder, { path: file }));
        await assert.rejects(opening, { code: 'DATA_INVALID', message: new RegExp(what, 'u') });
      });
    });
  }

  it('refuses a zip archive that was cut or is none', async () => {
    await inFolder(async (folder) => {
      const file = path.join(folder, 'cut.zip');
      const whole = zipBytes(zipEntries(await redAndBlue()));
      for (const bytes of [whole.subarray(0, -1), whole.subarray(0, 300), Buffer.from('text')]) {
        await writeFile(file, bytes);
        const opening = openDataset(options(folder, { path: file }));
        await assert.rejects(opening, { code: 'DATA_INVALID', message: /a complete zip archive/u });
      }
    });
  });

  it('leaves out what a zip archive lies about, and goes on behind it', async () => {
    await inFolder(async (folder) => {
      const image = await solidPng(1, 2, 3);
      const entries = Array.from({ length: 300 }, (_, at) => ({
        name: `train/${at % 2 === 0 ? 'blue' : 'red'}/${at}.png`,
        bytes: image,
      }));
      const lies = [
        { name: 'train/red/encrypted.png', bytes: image, flags: 1 },
        { name: 'train/red/small.png', bytes: image, claimedSize: image.length - 1 },
        { name: 'train/red/large.png', bytes: image, claimedSize: 2 ** 26 + 1 },
      ];
      const file = path.join(folder, 'set.zip');
      await writeZip(file, [...entries.slice(0, 50), ...lies, ...entries.slice(50)]);
      const { skipped, train } = await openDataset(options(folder, { path: file }));
      assert.equal(train.count, 300);
      assert.deepEqual(
        skipped.map(({ name }) => path.basename(name)),
        ['encrypted.png', 'small.png', 'large.png'],
      );
      assert.match(skipped[2]!.reason, /^the file has 67108865 bytes/u);
    });
  });

  it('leaves out an image that is too large for memory, and goes on behind it', async () => {
    await inFolder(async (folder) => {
      const { 'train/red/a.png': image } = await redAndBlue();
      assert.ok(image);
      const names = Array.from(
        { length: 110 },
        (_, at) => `${at % 2 === 0 ? 'blue' : 'red'}/${at}.png`,
      );
      const entries = names.map((name) => ({ name: `train/${name}`, bytes: image }));
      const huge = { name: 'train/red/huge.png', bytes: Buffer.alloc(2 ** 26 + 1) };
      const plain = path.join(folder, 'set.tar');
      await writeTar(plain, [...entries.slice(0, 50), huge, ...entries.slice(50)]);
      const { skipped, train } = await openDataset(options(folder, { path: plain }));
      assert.match(
        skipped[0]?.reason ?? '',
        /^the file has 67108865 bytes, more than the 67108864/u,
      );
      assert.equal(train.count, 110);
    });
  });

  it('does not unpack a gzip bomb to its end', { timeout: 60_000 }, async () => {
    await inFolder(async (folder) => {
      const file = path.join(folder, 'bomb.tgz');
      const header = pack();
      header.entry({ name: 'train/red/a.png', size: 2 ** 40 });
      const first = (await once(header, 'data'))[0] as Buffer;
      const zeros = gzipSync(Buffer.alloc(2 ** 24));
      // Gzip files may follow each other in one file: 4 GiB of zeros in 4 MiB.
      await writeFile(file, Buffer.concat([gzipSync(first), ...Array<Buffer>(256).fill(zeros)]));
      const { error } = await openWithLittleMemory(options(folder, { path: file }));
      assert.equal(error?.code, 'DATA_INVALID');
      assert.match(error.message, /found more than \d+ bytes, 100 times its size/u);
    });
  });

  it('refuses what is named like an archive and is none', async () => {
    await inFolder(async (folder) => {
      const pipe = path.join(folder, 'pipe.tar');
      execFileSync('mkfifo', [pipe]);
      const opened = openDataset(options(folder, { path: pipe }));
      await assert.rejects(opened, { code: 'DATA_INVALID' });
    });
  });
});

describe('hostile files of plain pixels', () => {
  it('refuses a batch that is too large for memory, or that cannot be read', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await writeFiles(root, { 'data_batch_1.bin': '' });
      await truncate(path.join(root, 'data_batch_1.bin'), 2 ** 40);
      const huge = openDataset(options(folder));
      await assert.rejects(huge, { code: 'DATA_INVALID', message: /1099511627776 bytes/u });
      await mkdir(path.join(root, 'data_batch_2.bin'));
      await truncate(path.join(root, 'data_batch_1.bin'), 0);
      const unreadable = openDataset(options(folder));
      await assert.rejects(unreadable, { code: 'DATA_INVALID', message: /it is a folder/u });
    });
  });

  it('refuses absurd dimensions and bombs before they are unpacked', async () => {
    const good = idxFiles(4);
    const claiming = (...axes: number[]): Buffer => {
      const header = Buffer.alloc(16);
      [0x803, ...axes].forEach((value, at) => header.writeUInt32BE(value, 4 * at));
      return header;
    };
    // Gzip files may follow each other in one file: 256 MiB of zeros in 256 KiB.
    const zeros = Array<Buffer>(256).fill(gzipSync(Buffer.alloc(2 ** 20)));
    for (const [images, reason] of [
      [[claiming(0xffffffff, 28, 28)], /at most 4194304 images/u],
      [[claiming(4_000_000, 0xffffffff, 0xffffffff)], /1073741824 bytes/u],
      [[claiming(4, 28, 28)], /found 16 bytes/u],
      [[claiming(4, 28, 28), ...zeros], /gzip file of 3152 bytes/u],
      [[claiming(1, 2000, 2000), Buffer.alloc(4e6)], /at most 1024 pixels/u],
    ] as const) {
      const isPacked = (piece: Buffer): boolean => piece.readUInt16BE() === 0x1f8b;
      const pieces = images.map((piece) => (isPacked(piece) ? piece : gzipSync(piece)));
      const packed = Buffer.concat(pieces);
      await inFolder(async (folder) => {
        const files = { ...good, 'train-images-idx3-ubyte.gz': packed };
        await writeFiles(path.join(folder, 'images'), files);
        const { error } = await openWithLittleMemory(options(folder));
        assert.equal(error?.code, 'DATA_INVALID');
        assert.match(error.message, reason);
      });
    }
  });

  it('says that a file cannot be read', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await mkdir(path.join(root, 'train-labels-idx1-ubyte'), { recursive: true });
      await writeFiles(root, { 'train-images-idx3-ubyte': 'text' });
      await assert.rejects(openDataset(options(folder)), { code: 'DATA_INVALID' });
    });
  });
});
