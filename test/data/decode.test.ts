import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodePixels } from '../../src/data/decode-image.ts';
import { openDataset } from '../../src/data/dataset.ts';
import {
  inFolder,
  options,
  recordingLogger,
  redAndBlue,
  solidJpeg,
  solidPng,
  writeFiles,
} from './support.ts';

async function decode(bytes: Uint8Array, size = 8): Promise<number[]> {
  return [...(await decodePixels({ kind: 'encoded', bytes }, size))];
}

/** A PNG header that promises `side` x `side` pixels and holds none. */
function hugePng(small: Buffer, side: number): Buffer {
  const header = Buffer.from(small);
  header.writeUInt32BE(side, 16);
  header.writeUInt32BE(side, 20);
  return header;
}

describe('decoding', () => {
  it('brings grey, CMYK, 16-bit, palette and transparent images to 8-bit RGB', async () => {
    const grey = sharp(await solidJpeg(90)).toColourspace('b-w');
    const cmyk = sharp(await solidJpeg(90)).toColourspace('cmyk');
    const background = { r: 90, g: 90, b: 90, alpha: 1 };
    const create = { width: 8, height: 8, channels: 4, background } as const;
    for (const [kind, bytes] of [
      ['grey', await grey.jpeg({ quality: 100 }).toBuffer()],
      ['cmyk', await cmyk.jpeg({ quality: 100 }).toBuffer()],
      [
        '16-bit',
        await sharp(await solidPng(90, 90, 90))
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
      ],
      [
        'palette',
        await sharp(await solidPng(90, 90, 90))
          .png({ palette: true })
          .toBuffer(),
      ],
      ['alpha', await sharp({ create }).png().toBuffer()],
    ] as const) {
      const pixels = await decode(bytes);
      assert.equal(pixels.length, 8 * 8 * 3, kind);
      const furthest = Math.max(...pixels.map((level) => Math.abs(level - 90)));
      // A CMYK profile does not reproduce every grey exactly.
      assert.ok(furthest <= (kind === 'cmyk' ? 16 : 1), `${kind} differs by ${furthest}`);
    }
  });

  it('crops the centre of an oblong image and obeys its orientation', async () => {
    const left = await solidPng(255, 0, 0, 8);
    const background = { r: 0, g: 0, b: 255 };
    const wide = sharp({ create: { width: 24, height: 8, channels: 3, background } });
    const bytes = await wide
      .composite([{ input: left, left: 0, top: 0 }])
      .png()
      .toBuffer();
    assert.deepEqual((await decode(bytes)).slice(0, 3), [0, 0, 255]);
    const square = sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .composite([{ input: await solidPng(255, 0, 0, 4), left: 0, top: 0 }])
      .withMetadata({ orientation: 3 });
    const turned = await decode(await square.png().toBuffer());
    assert.deepEqual(turned.slice(0, 3), [0, 0, 255]);
    assert.deepEqual(turned.slice(-3), [255, 0, 0]);
  });

  it('refuses absurd dimensions before decoding, and formats other than JPEG and PNG', async () => {
    await assert.rejects(decode(hugePng(await solidPng(1, 2, 3), 100_000)), /pixel limit/u);
    const webp = await sharp(await solidPng(1, 2, 3))
      .webp()
      .toBuffer();
    await assert.rejects(decode(webp), /neither JPEG nor PNG/u);
    await assert.rejects(decode(Buffer.from('<svg width="8" height="8"/>')), /neither/u);
  });

  it('skips damaged images, names them with a reason, and keeps the others in order', async () => {
    await inFolder(async (folder) => {
      const jpeg = await sharp({
        create: {
          width: 64,
          height: 64,
          channels: 3,
          noise: { type: 'gaussian', mean: 128, sigma: 30 },
          background: '#000',
        },
      })
        .jpeg()
        .toBuffer();
      const logger = recordingLogger();
      await writeFiles(path.join(folder, 'images'), {
        ...(await redAndBlue()),
        'train/blue/aa-cut.jpg': jpeg.subarray(0, jpeg.length / 2),
        'train/blue/ab-empty.png': '',
        'train/red/aa-text.JPEG': 'not an image',
        'train/red/notes.txt': 'ignored',
        'val/red/d-cut.jpg': jpeg.subarray(0, 100),
        'train/red/c-png-inside.jpg': await solidPng(9, 9, 9),
      });
      const data = await openDataset(options(folder, { logger }));
      assert.deepEqual(
        data.skipped.map(({ name }) => name),
        [
          'train/blue/aa-cut.jpg',
          'train/blue/ab-empty.png',
          'train/red/aa-text.JPEG',
          'val/red/d-cut.jpg',
        ],
      );
      assert.ok(data.skipped.every(({ reason }) => reason.length > 0));
      assert.deepEqual([...data.train.labels], [0, 0, 1, 1, 1]);
      assert.deepEqual([...data.train.images.slice(-3)], [9, 9, 9]);
      assert.deepEqual([...data.train.images.slice(0, 3)], [0, 0, 255]);
      assert.equal(data.test?.count, 2);
      assert.ok(
        logger.lines.includes('warning skipped train/blue/ab-empty.png: the file is empty'),
      );
      const again = await openDataset(options(folder));
      assert.deepEqual(again, data);
    });
  });

  it('is an error when no training image is left', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), { 'train/a/x.png': '', 'train/b/x.png': '' });
      await assert.rejects(openDataset(options(folder)), /none that can be used out of 2/u);
    });
  });
});
