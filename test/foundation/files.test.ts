import assert from 'node:assert/strict';
import fs, { mkdir, mkdtemp, open, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exists, makeFolder, removeLeftovers } from '../../src/foundation/files.ts';

let folder = '';

describe('makeFolder', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'files-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('syncs every folder that got a new one, and none where there was nothing to make', async (t) => {
    const opened = t.mock.method(fs, 'open');
    syncBuiltinESMExports();
    t.after(() => {
      opened.mock.restore();
      syncBuiltinESMExports();
    });
    const handle = await open(folder);
    const synced = t.mock.method(Object.getPrototypeOf(handle) as typeof handle, 'sync');
    await handle.close();
    const made = join(folder, 'a/b/c');
    opened.mock.resetCalls();
    await makeFolder(relative('.', made));
    assert.ok(await exists(made));
    const names = opened.mock.calls.map((call) => call.arguments[0]);
    assert.deepEqual(names, [join(folder, 'a/b'), join(folder, 'a'), folder]);
    assert.equal(synced.mock.callCount(), 3);
    await makeFolder(made);
    assert.equal(synced.mock.callCount(), 3);
  });

  it('says why it cannot', async () => {
    await assert.rejects(makeFolder('/dev/null/a'), { code: 'ENOTDIR' });
    await assert.rejects(makeFolder('/dev/null'), { code: 'EEXIST' });
  });

  it(
    'ends where the system refuses by saying that nothing is there',
    { timeout: 10_000 },
    async () => {
      for (const refused of ['/proc/x', '/proc/x/y', `/proc/${process.pid}/x`]) {
        await assert.rejects(makeFolder(refused), { code: 'ENOENT' });
      }
    },
  );

  it('makes the same folders for all that want them at once', async () => {
    const made = join(folder, 'd/e/f');
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(made)));
    assert.ok(await exists(made));
  });
});

describe('removeLeftovers', () => {
  it('removes what is older than its age, by name, past what it cannot remove', async (t) => {
    const place = await mkdtemp(join(tmpdir(), 'files-'));
    t.after(() => rm(place, { recursive: true }));
    const fresh = join(place, 'a.fresh');
    await mkdir(join(place, 'a.folder'));
    for (const name of ['a.old', 'a.young', 'b.old', 'a.fresh'])
      await writeFile(join(place, name), '');
    // The clock of the file system, which may be another machine's.
    const now = 1_000_000;
    await utimes(fresh, now, now);
    for (const name of ['a.folder', 'a.old', 'b.old'])
      await utimes(join(place, name), now - 61, now - 61);
    await utimes(join(place, 'a.young'), now - 59, now - 59);
    await removeLeftovers(fresh, (name) => name.startsWith('a.'), 60_000);
    assert.deepEqual((await readdir(place)).sort(), ['a.folder', 'a.fresh', 'a.young', 'b.old']);
  });

  it('says nothing where it cannot look', async () => {
    await removeLeftovers('/dev/null/fresh', () => true, 0);
  });
});
