import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { decodePixels } from '../../../src/data/formats/decode-image.ts';
import { openDataset } from '../../../src/data/store/dataset.ts';
import {
  inFolder,
  options,
  redAndBlue,
  solidJpeg,
  solidPng,
  writeFiles,
  type Files,
} from '../support.ts';

async function decode(bytes: Uint8Array, name = 'x.png'): Promise<number[]> {
  return [...(await decodePixels({ kind: 'encoded', name, bytes }, 8))];
}

/** A PNG header that promises `side` x `side` pixels and holds none. */
function hugePng(small: Buffer, side: number): Buffer {
  const header = Buffer.from(small);
  header.writeUInt32BE(side, 16);
  header.writeUInt32BE(side, 20);
  return header;
}

describe('decoding', () => {
  it('brings grey, 16-bit, palette and transparent images to 8-bit RGB', async () => {
    const grey = sharp(await solidJpeg(90)).toColourspace('b-w');
    const background = { r: 90, g: 90, b: 90, alpha: 1 };
    const create = { width: 8, height: 8, channels: 4, background } as const;
    for (const [name, bytes] of [
      ['grey.jpeg', await grey.jpeg({ quality: 100 }).toBuffer()],
      [
        '16-bit.PNG',
        await sharp(await solidPng(90, 90, 90))
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
      ],
      [
        'palette.png',
        await sharp(await solidPng(90, 90, 90))
          .png({ palette: true })
          .toBuffer(),
      ],
      ['alpha.png', await sharp({ create }).png().toBuffer()],
    ] as const) {
      const pixels = await decode(bytes, name);
      assert.equal(pixels.length, 8 * 8 * 3, name);
      const furthest = Math.max(...pixels.map((level) => Math.abs(level - 90)));
      assert.ok(furthest <= 1, `${name} differs by ${furthest}`);
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

  it('reads WebP, GIF, TIFF and AVIF, the first of several frames', async () => {
    const background = { r: 90, g: 90, b: 90 };
    const grey = (): Sharp => sharp({ create: { width: 8, height: 8, channels: 3, background } });
    const frames = Buffer.concat([Buffer.alloc(8 * 8 * 3, 90), Buffer.alloc(8 * 8 * 3, 250)]);
    const raw = { width: 8, height: 16, channels: 3, pageHeight: 8 } as const;
    const moving = await sharp(frames, { raw })
      .gif({ delay: [9, 9] })
      .toBuffer();
    for (const [name, bytes] of [
      ['lossless.webp', await grey().webp({ lossless: true }).toBuffer()],
      ['lossy.WEBP', await grey().webp().toBuffer()],
      ['still.gif', await grey().gif().toBuffer()],
      ['moving.gif', moving],
      ['moving.webp', await sharp(moving, { animated: true }).webp().toBuffer()],
      ['plain.tif', await grey().tiff({ compression: 'none' }).toBuffer()],
      ['packed.tiff', await grey().tiff({ compression: 'lzw' }).toBuffer()],
      ['tiles.tiff', await grey().tiff({ tile: true, bigtiff: true }).toBuffer()],
      ['deep.tif', await grey().toColourspace('grey16').tiff({ compression: 'lzw' }).toBuffer()],
      ['still.avif', await grey().avif().toBuffer()],
      ['x.jfif', await grey().jpeg({ quality: 100 }).toBuffer()],
    ] as const) {
      const pixels = await decode(bytes, name);
      assert.equal(pixels.length, 8 * 8 * 3, name);
      const furthest = Math.max(...pixels.map((level) => Math.abs(level - 90)));
      assert.ok(furthest <= 4, `${name} differs by ${furthest}`);
      const cut = decode(bytes.subarray(0, bytes.length * 0.6), name);
      await assert.rejects(cut, { message: 'damaged or cut short' }, name);
    }
  });

  it('refuses pixels whose range or colours are not known', async () => {
    const background = { r: 90, g: 90, b: 90 };
    const grey = (): Sharp => sharp({ create: { width: 8, height: 8, channels: 3, background } });
    const lab = await grey().toColourspace('lab').tiff({ compression: 'lzw' }).toBuffer();
    await assert.rejects(decode(lab, 'x.tif'), /pixels of type float.*convert it to 8 bits/u);
    const plane = { raw: { width: 8, height: 8, channels: 1 } } as const;
    const planes = Array.from({ length: 4 }, () => Buffer.alloc(64, 9));
    const many = await grey().joinChannel(planes, plane).tiff({ compression: 'lzw' }).toBuffer();
    await assert.rejects(decode(many, 'x.tif'), /^Error: 7 channels: convert it to RGB/u);
  });

  it('refuses absurd dimensions before decoding, and formats that it does not know', async () => {
    await assert.rejects(
      decode(hugePng(await solidPng(1, 2, 3), 100_000)),
      /100000 x 100000 pixels/u,
    );
    const webp = await sharp(await solidPng(1, 2, 3))
      .webp()
      .toBuffer();
    await assert.rejects(decode(webp), /^Error: WebP data in a \.png file: rename it to \.webp$/u);
    for (const text of ['<svg width="8" height="8"/>', 'BM6 a bitmap']) {
      await assert.rejects(decode(Buffer.from(text)), /none of JPEG, PNG, WebP.*: convert it/u);
    }
  });

  it('is an error when no training image is left', async () => {
    await inFolder(async (folder) => {
      const { 'val/red/c.png': sound } = await redAndBlue();
      assert.ok(sound);
      const tests = Array.from({ length: 200 }, (_, index) => [`val/a/${index}.png`, sound]);
      const broken = { 'train/a/x.png': '', 'train/b/x.png': '' };
      const files = { ...broken, ...(Object.fromEntries(tests) as Files) };
      await writeFiles(path.join(folder, 'images'), files);
      await assert.rejects(openDataset(options(folder)), /none that can be used out of 2/u);
    });
  });
});
