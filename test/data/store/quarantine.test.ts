import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc32, createDeflate } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { openDataset } from '../../../src/data/store/dataset.ts';
import { decodeParts, type DecodedParts } from '../../../src/data/store/decode-parts.ts';
import { formatBadSamples } from '../../../src/data/store/quarantine.ts';
import type { ImageSource, Payload } from '../../../src/data/formats/source.ts';
import { silentLogger } from '../../../src/foundation/logger.ts';
import {
  inFolder,
  openWithLittleMemory,
  options,
  payloadSource,
  recordingLogger,
  solidJpeg,
  solidPng,
  tarEntries,
  writeFiles,
  writeTar,
  type Files,
} from '../support.ts';

/** The same sound image many times over, in two classes, named so that it sorts before others. */
async function soundFiles(count: number): Promise<Files> {
  const bytes = await solidPng(9, 9, 9);
  const names = Array.from({ length: count }, (_, index) => {
    const number = String(index).padStart(5, '0');
    return `train/${index % 2 === 0 ? 'blue' : 'red'}/${number}.png`;
  });
  return Object.fromEntries(names.map((name) => [name, bytes]));
}

function noise(width: number, height: number): Sharp {
  const create = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width, height, channels: 3, noise: create, background: '#000' } });
}

function cut(bytes: Buffer, share: number): Buffer {
  return bytes.subarray(0, Math.floor(bytes.length * share));
}

/** A sound 8 x 8 PNG that claims other dimensions in a header with the right checksum. */
async function claiming(width: number, height: number): Promise<Buffer> {
  const bytes = await solidPng(1, 2, 3);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

/** A sound PNG with a colour profile of 256 MiB in a few hundred kilobytes. */
async function profileBomb(): Promise<Buffer> {
  const bytes = await solidPng(1, 2, 3);
  const zeros = Array<Buffer>(256).fill(Buffer.alloc(2 ** 20));
  const profile = await buffer(Readable.from(zeros).pipe(createDeflate()));
  const chunk = Buffer.concat([
    Buffer.from('\0\0\0\0iCCPbomb\0\0', 'latin1'),
    profile,
    Buffer.alloc(4),
  ]);
  chunk.writeUInt32BE(chunk.length - 12);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return Buffer.concat([bytes.subarray(0, 33), chunk, bytes.subarray(33)]);
}

const DAMAGED = /^damaged or cut short$/u;

/** File name, reason, content. */
const BROKEN: readonly (readonly [string, RegExp, () => Buffer | string | Promise<Buffer>])[] = [
  ['empty.png', /^the file is empty$/u, () => ''],
  ['text.jpeg', /^none of JPEG, PNG, WebP, GIF, TIFF, AVIF: convert it$/u, () => 'no image'],
  ['cut.jpg', DAMAGED, async () => cut(await noise(64, 64).jpeg().toBuffer(), 0.5)],
  ['cut.png', DAMAGED, async () => cut(await noise(64, 64).png().toBuffer(), 0.5)],
  ['tall.jpg', DAMAGED, async () => cut(await noise(64, 999).jpeg().toBuffer(), 0.9)],
  ['tall.png', DAMAGED, async () => cut(await noise(64, 999).png().toBuffer(), 0.9)],
  [
    'progressive.jpg',
    DAMAGED,
    async () => cut(await noise(64, 64).jpeg({ progressive: true }).toBuffer(), 0.8),
  ],
  ['header.jpg', DAMAGED, async () => cut(await solidJpeg(9), 0.1)],
  [
    'cmyk.jpg',
    /^CMYK colours: convert it to RGB$/u,
    () => noise(16, 16).toColourspace('cmyk').jpeg().toBuffer(),
  ],
  ['png.jpg', /^PNG data in a \.jpg file: rename it to \.png$/u, () => solidPng(9, 9, 9)],
  ['jpeg.png', /^JPEG data in a \.png file: rename it to \.jpg$/u, () => solidJpeg(9)],
  [
    'webp.png',
    /^WebP data in a \.png file: rename it to \.webp$/u,
    () => noise(8, 8).webp().toBuffer(),
  ],
  ['pixels.png', /^30000 x 30000 pixels: at most/u, () => claiming(30_000, 30_000)],
  ['wide.png', /^40000 x 2 pixels: at most 32768 a side/u, () => claiming(40_000, 2)],
  ['high.png', /^2 x 40000 pixels: at most 32768 a side/u, () => claiming(2, 40_000)],
];

async function brokenFiles(): Promise<Files> {
  const files: Record<string, Buffer | string> = {};
  for (const [name, , make] of BROKEN) {
    files[`train/red/x-${name}`] = await make();
  }
  return files;
}

describe('quarantine', () => {
  it('broken, cut, CMYK, misnamed and absurd images are left out with a reason', async () => {
    const files = { ...(await soundFiles(1600)), ...(await brokenFiles()) };
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), files);
      await writeTar(path.join(folder, 'images.tar'), tarEntries(files));
      const logger = recordingLogger();
      const data = await openDataset(options(folder, { logger }));
      assert.equal(data.train.count, 1600);
      const reasons = new Map(data.skipped.map(({ name, reason }) => [name, reason]));
      assert.equal(reasons.size, BROKEN.length);
      for (const [name, reason] of BROKEN) {
        assert.match(reasons.get(`train/red/x-${name}`) ?? '', reason, name);
      }
      assert.equal(logger.lines.filter((line) => line.startsWith('warning skipped')).length, 6);
      const archive = options(folder, { path: path.join(folder, 'images.tar') });
      const fromTar = (await openDataset(archive)).skipped;
      const byName = (list: typeof fromTar): typeof fromTar =>
        [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
      assert.deepEqual(byName(fromTar), byName(data.skipped));
      assert.deepEqual(await openDataset(options(folder)), data, 'the cache keeps the list');
    });
  });

  it('what cannot be read is left out: folders, dangling links, pipes, devices, huge files', async () => {
    await inFolder(async (folder) => {
      const red = path.join(folder, 'images', 'train', 'red');
      await writeFiles(path.join(folder, 'images'), await soundFiles(500));
      await mkdir(path.join(red, 'x-folder.png'));
      await symlink('nowhere', path.join(red, 'x-link.png'));
      execFileSync('mkfifo', [path.join(red, 'x-pipe.png')]);
      await symlink('/dev/zero', path.join(red, 'x-device.png'));
      await writeFile(path.join(red, 'x-huge.png'), '');
      await truncate(path.join(red, 'x-huge.png'), 2 ** 40);
      const { skipped, train } = await openDataset(options(folder));
      assert.deepEqual(
        skipped.map(({ name, reason }) => [path.basename(name), reason.replace(/,.*/u, '')]),
        [
          ['x-device.png', 'it is not a regular file'],
          ['x-folder.png', 'it is a folder'],
          ['x-huge.png', 'the file has 1099511627776 bytes'],
          ['x-link.png', 'ENOENT: no such file or directory'],
          ['x-pipe.png', 'it is not a regular file'],
        ],
      );
      assert.equal(train.count, 500);
    });
  });

  it('a file without permission is left out until it gets it', async () => {
    await inFolder(async (folder) => {
      const files = { ...(await soundFiles(100)), 'train/red/x.png': await solidPng(1, 1, 1) };
      await writeFiles(path.join(folder, 'images'), files);
      await mkdir(path.join(folder, 'cache'));
      await Promise.all([chmod(folder, 0o755), chmod(path.join(folder, 'cache'), 0o777)]);
      const locked = path.join(folder, 'images/train/red/x.png');
      await chmod(locked, 0);
      // Permissions do not bind root: somebody else opens the data set.
      const user = process.geteuid!();
      if (user === 0) process.seteuid!(65_534);
      try {
        const { skipped } = await openDataset(options(folder));
        assert.match(skipped[0]?.reason ?? '', /^EACCES/u);
      } finally {
        process.seteuid!(user);
      }
      await chmod(locked, 0o644);
      assert.deepEqual((await openDataset(options(folder))).skipped, []);
    });
  });

  for (const code of ['EIO', 'EMFILE', 'ENOMEM']) {
    it(`a failing system (${code}) is no fault of an image, and ends the search`, async () => {
      const sound: Payload = { kind: 'pixels', pixels: new Uint8Array(12), side: 2 };
      const { source, listing } = payloadSource(Array<Payload>(200).fill(sound));
      const failure = Object.assign(new Error(`${code}: on purpose`), { code, syscall: 'read' });
      const failing: ImageSource = {
        ...source,
        async *read(positions) {
          for await (const image of source.read(positions)) {
            const isFine = image.position !== 100;
            yield isFine ? image : { ...image, load: () => Promise.reject(failure) };
          }
        },
      };
      const wanted = [...listing.images.keys()];
      await assert.rejects(
        decodeParts(failing, listing, { wanted, size: 2, logger: silentLogger }),
        {
          code: 'FILE_UNREADABLE',
          message: new RegExp(`${code}: on purpose.*Check the disk`, 'u'),
        },
      );
    });
  }

  it('a bomb in a colour profile is never unpacked', async () => {
    await inFolder(async (folder) => {
      const bomb = { 'train/red/x-bomb.png': await profileBomb() };
      await writeFiles(path.join(folder, 'images'), { ...(await soundFiles(100)), ...bomb });
      const { count, skipped } = await openWithLittleMemory(options(folder));
      assert.equal(count + skipped, 101);
    });
  });

  it('at most 1 % may be left out; more is an error that names them and is not cached', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await writeFiles(root, { ...(await soundFiles(297)), 'train/red/a.png': '' });
      await writeFiles(root, { 'train/blue/a.png': '', 'train/blue/b\tb.png': '' });
      assert.equal((await openDataset(options(folder))).skipped.length, 3);
      const cached = await readdir(path.join(folder, 'cache'));
      await writeFiles(root, { 'train/blue/c.jpg': 'text' });
      for (let time = 0; time < 2; time++) {
        await assert.rejects(openDataset(options(folder)), (thrown: Error & { code?: string }) => {
          assert.equal(thrown.code, 'DATA_INVALID');
          assert.match(thrown.message, /at most 1 % of 301 images/u);
          assert.match(thrown.message, /found 4 that cannot be used/u);
          assert.ok(thrown.message.includes(String.raw`train/blue/b\tb.png (the file is empty)`));
          assert.match(thrown.message, /Repair, replace or remove/u);
          return true;
        });
      }
      assert.deepEqual(await readdir(path.join(folder, 'cache')), cached);
    });
  });

  it('at most 50 in a row may be left out, and nothing is read after that', async () => {
    const broken: Payload = { kind: 'encoded', name: 'x.png', bytes: new Uint8Array() };
    const sound: Payload = { kind: 'pixels', pixels: new Uint8Array(12), side: 2 };
    const decode = (count: number): { loaded: () => number; parts: Promise<DecodedParts> } => {
      const payloads = Array<Payload>(9000)
        .fill(sound)
        .fill(broken, 100, 100 + count);
      const { source, listing, loaded } = payloadSource(payloads);
      const wanted = [...payloads.keys()];
      const parts = decodeParts(source, listing, { wanted, size: 2, logger: silentLogger });
      return { loaded, parts };
    };
    assert.equal((await decode(50).parts).skipped.length, 50);
    for (const count of [51, 8900]) {
      const { loaded, parts } = decode(count);
      await assert.rejects(parts, /up to 5\d in a row/u);
      assert.ok(loaded() < 200, String(loaded()));
    }
  });

  it('writes one line for each, with tabs, line ends and backslashes escaped', () => {
    const text = formatBadSamples([
      { name: 'train/a\tb\\c\nd.png', reason: 'the file is empty' },
      { name: 'train/é.png', reason: 'cut\r\nshort' },
    ]);
    assert.equal(
      text,
      'train/a\\tb\\\\c\\nd.png\tthe file is empty\ntrain/é.png\tcut\\r\\nshort\n',
    );
    assert.equal(formatBadSamples([]), '');
  });
});
