import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { openDataset } from '../../../src/data/store/dataset.ts';
import {
  inFolder,
  options,
  recordingLogger,
  redAndBlue,
  solidPng,
  startOpening,
  writeFiles,
} from '../support.ts';

/** Opens and says whether the images were decoded. */
async function isDecoded(
  folder: string,
  more: Parameters<typeof options>[1] = {},
): Promise<boolean> {
  const logger = recordingLogger();
  const data = await openDataset(options(folder, { ...more, logger }));
  assert.deepEqual([...data.train.labels], [0, 0, 1, 1]);
  return logger.lines.some((line) => line.includes('decoding'));
}

async function cacheFile(folder: string): Promise<string> {
  const [name] = await readdir(path.join(folder, 'cache'));
  assert.ok(name);
  return path.join(folder, 'cache', name);
}

describe('cache', () => {
  it('decodes once, and again for another size or changed files', async () => {
    await inFolder(async (folder) => {
      const root = path.join(folder, 'images');
      await writeFiles(root, await redAndBlue());
      assert.equal(await isDecoded(folder), true);
      assert.equal(await isDecoded(folder), false);
      assert.equal(await isDecoded(folder, { imageSize: 4 }), true);
      const later = new Date('2030-01-01');
      await utimes(path.join(root, 'train/red/a.png'), later, later);
      assert.equal(await isDecoded(folder), true);
      await writeFiles(root, { 'val/red/new.png': await solidPng(1, 2, 3) });
      assert.equal(await isDecoded(folder), true);
      assert.equal(await isDecoded(folder), false);
    });
  });

  it('rebuilds a file that was cut anywhere, has a damaged header or is none', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      await isDecoded(folder);
      const file = await cacheFile(folder);
      const whole = await readFile(file);
      for (const length of [0, 5, 11, 40, 80, 200, whole.length - 1]) {
        await truncate(file, length);
        assert.equal(await isDecoded(folder), true, `cut at ${length}`);
        assert.deepEqual(await readFile(file), whole);
      }
      await writeFile(file, Buffer.concat([whole, Buffer.from('x')]));
      assert.equal(await isDecoded(folder), true);
      for (const at of [3, 9, 11, 30, 50, 60, 90, 120]) {
        const flipped = Buffer.from(whole);
        flipped[at] = whole[at]! ^ 1;
        await writeFile(file, flipped);
        assert.equal(await isDecoded(folder), true, `bit flipped in byte ${at}`);
      }
      await writeFile(file, Buffer.alloc(whole.length, 0x20));
      assert.equal(await isDecoded(folder), true);
      assert.deepEqual(await readdir(path.join(folder, 'cache')), [path.basename(file)]);
    });
  });

  it('passes over pixels that are not those that were written, and says so', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      const first = await openDataset(options(folder));
      const file = await cacheFile(folder);
      const whole = await readFile(file);
      const pixels = first.train.images.length + first.test!.images.length;
      const lost = Buffer.from(whole).fill(0, whole.length - pixels);
      const flipped = Buffer.from(whole);
      flipped[whole.length - 1]! ^= 1;
      for (const bytes of [lost, flipped]) {
        await writeFile(file, bytes);
        const logger = recordingLogger();
        assert.deepEqual(await openDataset(options(folder, { logger })), first);
        assert.match(logger.lines[0]!, /^warning images: passed over the cache .*damaged$/);
        assert.deepEqual(await readFile(file), whole);
      }
    });
  });

  it('removes what a killed process was writing an hour ago, and nothing younger', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      const cache = path.join(folder, 'cache');
      const diesAtRename = `
        import fs from 'node:fs/promises';
        import { syncBuiltinESMExports } from 'node:module';
        fs.rename = () => process.kill(process.pid, 'SIGKILL');
        syncBuiltinESMExports();`;
      const killed = startOpening(options(folder), diesAtRename);
      assert.deepEqual(await once(killed, 'exit'), [null, 'SIGKILL']);
      const [left, ...others] = await readdir(cache);
      assert.ok(left !== undefined && others.length === 0);
      await writeFiles(cache, { 'partial.txt': "none of the cache's" });
      const openAfter = async (minutes: number): Promise<string[]> => {
        const then = Date.now() / 1000 - 60 * minutes;
        for (const name of [left, 'partial.txt']) await utimes(path.join(cache, name), then, then);
        await openDataset(options(folder, { imageSize: minutes }));
        return (await readdir(cache)).filter((name) => !name.endsWith('.u8')).sort();
      };
      assert.deepEqual(await openAfter(59), [left, 'partial.txt'].sort());
      assert.deepEqual(await openAfter(61), ['partial.txt']);
    });
  });

  it('gives two processes that open at once the same images', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      const [first, second] = await Promise.all([
        openDataset(options(folder)),
        openDataset(options(folder)),
      ]);
      assert.deepEqual(first, second);
    });
  });

  it('says that the cache folder cannot be written', async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      await writeFile(path.join(folder, 'cache'), 'a file where the folder should be');
      await assert.rejects(openDataset(options(folder)), { code: 'FILE_UNWRITABLE' });
    });
  });

  it('says so where no folder can be made, before it decodes', { timeout: 20_000 }, async () => {
    await inFolder(async (folder) => {
      const broken = { 'train/a/x.png': 'no image', 'train/b/x.png': 'no image' };
      await writeFiles(path.join(folder, 'images'), broken);
      for (const cacheFolder of ['/proc/y', '/proc/y/z', '/dev/null/y']) {
        const opening = openDataset(options(folder, { cacheFolder }));
        await assert.rejects(opening, {
          code: 'FILE_UNWRITABLE',
          message: /choose another cache/u,
        });
      }
    });
  });

  it('waits for no pipe that stands in its place', { timeout: 20_000 }, async () => {
    await inFolder(async (folder) => {
      await writeFiles(path.join(folder, 'images'), await redAndBlue());
      await isDecoded(folder);
      const file = await cacheFile(folder);
      execFileSync('rm', [file]);
      execFileSync('mkfifo', [file]);
      assert.equal(await isDecoded(folder), true);
      assert.equal(await isDecoded(folder), false);
    });
  });
});
