/** What every reader of a data set must do, whatever its format. */
import assert from 'node:assert/strict';
import { appendFile, utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { decodePixels } from '../../src/data/formats/decode-image.ts';
import { locateSource } from '../../src/data/formats/locate.ts';
import type { DataFormat, ImageSource, Part, Payload } from '../../src/data/formats/source.ts';
import { inFolder } from '../data/support.ts';

/** A format and data of it: at least two classes with two training images each. */
export interface ReaderCase {
  readonly name: string;
  readonly format: DataFormat;
  /** Writes the same data set every time, below a folder of its own; gives the path to open. */
  readonly write: (folder: string) => Promise<string>;
  /** Writes the files of the same data set in another order. */
  readonly writeReversed: (folder: string) => Promise<string>;
  /** A file that was written and is read, below the folder. */
  readonly member: string;
  /** Damages the second image, or all of its file where that is no file of its own. */
  readonly damage: (opened: string) => Promise<void>;
  /** Makes the second image, or its file, larger than any that is read. */
  readonly bloat: (opened: string) => Promise<void>;
  /** In the order of the listing. */
  readonly parts: readonly Part[];
  /** Whether each image is a file. */
  readonly hasFiles: boolean;
}

const SIZE = 8;

async function readAll(
  source: ImageSource,
  wanted: Iterable<number>,
): Promise<readonly (readonly [position: number, payload: Payload | Error])[]> {
  const read: [number, Payload | Error][] = [];
  for await (const { position, load } of source.read(new Set(wanted))) {
    read.push([position, await load().catch((thrown: unknown) => thrown as Error)]);
  }
  return read;
}

async function outcome(payload: Payload | Error): Promise<string> {
  if (payload instanceof Error) return 'rejected';
  return decodePixels(payload, SIZE).then(
    (pixels) => (pixels.length === SIZE * SIZE * 3 ? 'decoded' : 'of another size'),
    () => 'rejected',
  );
}

export function testReaderContract(reader: ReaderCase): void {
  const { name, format, write, hasFiles } = reader;
  const opening = async (use: (source: ImageSource, where: string) => Promise<void>) =>
    inFolder(async (folder) => {
      const where = await write(folder);
      await use(await locateSource(where, 'auto'), where);
    });

  /** Only the second image, or all of its file, is refused; the others are decoded as before. */
  const losesOne = async (harm: (opened: string) => Promise<void>): Promise<void> =>
    inFolder(async (folder) => {
      const where = await write(folder);
      await harm(where);
      if (!hasFiles) {
        const listing = locateSource(where, format).then((source) => source.list());
        await assert.rejects(listing, { code: 'DATA_INVALID' });
        return;
      }
      const source = await locateSource(where, format);
      const { images } = await source.list();
      const read = await readAll(source, images.keys());
      const outcomes = await Promise.all(read.map(([, payload]) => outcome(payload)));
      assert.deepEqual(
        outcomes,
        images.map((_, at) => (at === 1 ? 'rejected' : 'decoded')),
      );
    });

  describe(`image reader contract: ${name}`, () => {
    it('is told from its files, and opens the same when it is named', async () => {
      await opening(async (source, where) => {
        assert.equal(source.format, format);
        const same = await locateSource(where, format);
        assert.deepEqual(await same.list(), await source.list());
        assert.deepEqual(await same.fingerprint(), await source.fingerprint());
      });
    });

    it('sorts its classes and lists images of all parts of them', async () => {
      await opening(async (source) => {
        const { classes, images } = await source.list();
        assert.deepEqual(classes, [...classes].sort());
        assert.deepEqual([...new Set(images.map(({ part }) => part))], reader.parts);
        assert.ok(images.every(({ label }) => classes[label] !== undefined));
        assert.equal(new Set(images.map((image) => image.name)).size, images.length);
      });
    });

    it('lists in an order that depends on the data alone', async () => {
      await inFolder(async (folder) => {
        const first = await locateSource(await write(path.join(folder, 'a')), format);
        const again = await locateSource(await write(path.join(folder, 'b')), format);
        const reversed = await reader.writeReversed(path.join(folder, 'c'));
        const other = await locateSource(reversed, format);
        assert.deepEqual(await again.list(), await first.list());
        assert.deepEqual(await other.list(), await first.list());
        const pixels = async (source: ImageSource): Promise<unknown> =>
          readAll(source, [...(await source.list()).images.keys()]);
        assert.deepEqual(await pixels(other), await pixels(first));
      });
    });

    it('reads exactly the wanted positions, ascending, however often', async () => {
      await opening(async (source) => {
        const { length } = (await source.list()).images;
        const all = await readAll(source, Array(length).keys());
        assert.deepEqual(
          all.map(([position]) => position),
          [...Array(length).keys()],
        );
        for (const wanted of [[], [length - 1], [2, 0], [length - 1, 1, 3]]) {
          const sorted = [...wanted].sort((a, b) => a - b);
          assert.deepEqual(
            await readAll(source, wanted),
            sorted.map((position) => all[position]),
          );
        }
        const outcomes = await Promise.all(all.map(([, payload]) => outcome(payload)));
        assert.ok(outcomes.every((each) => each === 'decoded'));
      });
    });

    it('lets a reader stop early', async () => {
      await opening(async (source) => {
        for await (const { position } of source.read(new Set([0, 1, 2]))) {
          assert.equal(position, 0);
          break;
        }
        assert.equal((await readAll(source, [0, 1])).length, 2);
      });
    });

    it('has another fingerprint when the time or the size of a file changes', async () => {
      await inFolder(async (folder) => {
        const where = await write(folder);
        const print = async (place: string): Promise<string> =>
          (await (await locateSource(place, format)).fingerprint()).join('\n');
        const first = await print(where);
        assert.equal(await print(where), first);
        const file = path.join(folder, reader.member);
        await utimes(file, new Date('2030-01-01'), new Date('2030-01-01'));
        const touched = await print(where);
        await appendFile(file, 'x');
        const grown = await print(where);
        assert.equal(new Set([first, touched, grown]).size, 3);
      });
    });

    it('rejects a damaged image and no other', async () => {
      await losesOne(reader.damage);
    });

    it('rejects what is too large to be read, and nothing else', async () => {
      await losesOne(reader.bloat);
    });
  });
}
