import assert from 'node:assert/strict';
import fs, {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import {
  privatePartial,
  replaceFile,
  withPartial,
  writeAtomically,
} from '../../src/foundation/atomic-file.ts';

let folder = '';

/** A call of the system that is refused. */
const failing = (code: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(`${code}: on purpose`), { code, syscall: 'x' }));

describe('writeAtomically', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atomic-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('writes text and pieces of bytes in the place of what was there', async () => {
    const file = join(folder, 'a');
    await writeAtomically(file, 'a longer text');
    assert.equal(await readFile(file, 'utf8'), 'a longer text');
    await writeAtomically(file, [Buffer.from('one '), new Uint8Array(0), Buffer.from('two')]);
    assert.equal(await readFile(file, 'utf8'), 'one two');
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('leaves the old file and no temporary one when a write breaks half-way', async () => {
    const file = join(folder, 'a');
    await writeAtomically(file, 'old');
    await symlink('/dev/full', `${file}.partial`);
    await assert.rejects(
      writeAtomically(file, 'new'),
      (error) => error instanceof TrialError && error.code === 'FILE_UNWRITABLE',
    );
    assert.equal(await readFile(file, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('leaves the old file and no temporary one when it cannot be renamed', async (t) => {
    const file = join(folder, 'a');
    await writeAtomically(file, 'old');
    const rename = t.mock.method(fs, 'rename', failing('EIO'));
    syncBuiltinESMExports();
    const written = writeAtomically(file, 'new');
    await assert.rejects(written, { code: 'FILE_UNWRITABLE', message: /EIO/ });
    rename.mock.restore();
    syncBuiltinESMExports();
    assert.equal(await readFile(file, 'utf8'), 'old');
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('fails, with a whole file there, when the folder cannot be synced', async (t) => {
    const file = join(folder, 'a');
    const handle = await open(folder);
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    const sync = t.mock.method(prototype, 'sync', failing('EIO'));
    await handle.close();
    sync.mock.mockImplementationOnce(() => Promise.resolve()); // the file itself
    const written = writeAtomically(file, 'new');
    await assert.rejects(written, { code: 'FILE_UNWRITABLE', message: /EIO/ });
    assert.equal(sync.mock.callCount(), 2);
    assert.equal(await readFile(file, 'utf8'), 'new');
    assert.deepEqual(await readdir(folder), ['a']);
    // Some file systems know no such request.
    sync.mock.mockImplementation(failing('EINVAL'));
    sync.mock.mockImplementationOnce(() => Promise.resolve(), 2);
    await writeAtomically(file, 'newer');
    assert.equal(await readFile(file, 'utf8'), 'newer');
  });

  it('passes a defect on as it is, and cleans up too', async () => {
    const pieces = [Buffer.from('new'), null as unknown as Uint8Array];
    await assert.rejects(writeAtomically(join(folder, 'a'), pieces), TypeError);
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('removes the temporary file when the name is taken by a folder', async () => {
    await mkdir(join(folder, 'b'));
    await assert.rejects(writeAtomically(join(folder, 'b'), 'text'), /EISDIR.*Free space/);
    assert.deepEqual(await readdir(folder), ['a', 'b']);
  });

  it('says which file of a missing folder cannot be written', async () => {
    const file = join(folder, 'none', 'c');
    await assert.rejects(
      writeAtomically(file, 'text'),
      new RegExp(`^TrialError: ${file}: .*ENOENT`),
    );
  });
});

describe('replaceFile', () => {
  it('lets the last whole file stay of those that are written at once', async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'atomic-'));
    t.after(() => rm(place, { recursive: true }));
    const file = join(place, 'a');
    const names = new Set<string>();
    const texts = ['one', 'two', 'three'];
    const writes = texts.map((text) =>
      replaceFile(file, async (partial) => {
        names.add(partial);
        await writeFile(partial, text);
      }),
    );
    await Promise.all(writes);
    assert.equal(names.size, 3);
    assert.ok(texts.includes(await readFile(file, 'utf8')));
    assert.deepEqual(await readdir(place), ['a']);
  });

  it('keeps the old file and leaves nothing beside it when the work fails', async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'atomic-'));
    t.after(() => rm(place, { recursive: true }));
    const file = join(place, 'a');
    await writeFile(file, 'old');
    const failure = new Error('on purpose');
    const failed = replaceFile(file, async (partial) => {
      await writeFile(partial, 'new');
      throw failure;
    });
    await assert.rejects(failed, failure);
    assert.equal(await readFile(file, 'utf8'), 'old');
    assert.deepEqual(await readdir(place), ['a']);
  });

  it('removes what killed processes have left an hour ago, and no younger file', async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'atomic-'));
    t.after(() => rm(place, { recursive: true }));
    const [old, young] = [privatePartial(join(place, 'b')), privatePartial(join(place, 'c'))];
    const kept = join(place, 'mine.partial');
    for (const [name, minutes] of [
      [old, 61],
      [young, 59],
      [kept, 61],
    ] as const) {
      await writeFile(name, '');
      const then = Date.now() / 1000 - 60 * minutes;
      await utimes(name, then, then);
    }
    await replaceFile(join(place, 'a'), (partial) => writeFile(partial, 'text'));
    const left = [join(place, 'a'), young, kept].map((name) => basename(name));
    assert.deepEqual((await readdir(place)).sort(), left.sort());
  });
});

describe('withPartial', () => {
  it('gives what the work gives and removes a whole folder of that name', async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'atomic-'));
    t.after(() => rm(place, { recursive: true }));
    const given = await withPartial(join(place, 'a'), async (partial) => {
      await mkdir(join(partial, 'deep'), { recursive: true });
      await writeFile(join(partial, 'deep', 'x'), 'x');
      return (await readdir(place)).length;
    });
    assert.equal(given, 1);
    assert.deepEqual(await readdir(place), []);
  });
});
