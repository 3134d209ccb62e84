import assert from 'node:assert/strict';
import fs, { mkdtemp, open, rm } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exists, makeFolder } from '../../src/foundation/files.ts';

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
  });
});
