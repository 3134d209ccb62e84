import assert from 'node:assert/strict';
import fs, { mkdir, mkdtemp, open, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { writeAtomically } from '../../src/foundation/atomic-file.ts';

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

  it('R2: leaves the old file and no temporary one when a write breaks half-way', async () => {
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

  it('R2: leaves the old file and no temporary one when it cannot be renamed', async (t) => {
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

  it('R2: fails, with a whole file there, when the folder cannot be synced', async (t) => {
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
