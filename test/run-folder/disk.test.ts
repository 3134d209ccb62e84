import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { cream } from '../../src/algorithms/cream/cream.ts';
import { train } from '../../src/training/loop.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { encodeSafetensors } from '../../src/run-folder/checkpoint/safetensors.ts';
import { checkDisk, searchBytes } from '../../src/run-folder/disk.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyContext, tinySearch, tinySpace, tinySupernet } from '../support/tiny.ts';

describe('searchBytes', () => {
  it('is enough for five checkpoints of a trained search, and not far above', async () => {
    const search = tinySearch(cream, { epochs: 3 });
    const supernet = tinySupernet(await nativeEngine());
    const first = initialState(supernet, search.algorithm.initialState());
    const state = await train(first, tinyContext(supernet, search));
    assert.equal(state.own.board.entries.length, search.setting.config.boardSize);
    const real = 5 * encodeSafetensors(takeSnapshot(state, search).arrays).length;
    supernet.dispose();
    const estimate = searchBytes(tinySpace, {
      slots: search.plan.optimizer.slots.length,
      ownNumbers: search.algorithm.savedNumbers,
    });
    assert.ok(estimate >= real && estimate < 2 * real + 2 ** 20, `${estimate} for ${real} bytes`);
  });
});

describe('checkDisk', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'disk-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('lets a search begin where there is room', async () => {
    await checkDisk(folder, 2 ** 20);
  });

  it('names what is needed and what is free', async () => {
    await assert.rejects(checkDisk(folder, 2 ** 60), (error) => {
      assert.ok(error instanceof TrialError && error.code === 'FILE_UNWRITABLE');
      assert.match(error.message, /wanted 1099511627776 MiB of free space.*; found \d+ MiB\. Free/);
      return true;
    });
  });

  it('counts the room that checkpoints of an earlier run take already', async () => {
    const { bavail, bsize } = await statfs(folder);
    // Far more than other programs write in between.
    const takenBytes = 64 * 2 ** 20;
    await mkdir(join(folder, 'checkpoints'));
    await writeFile(join(folder, 'checkpoints', '00000001.safetensors'), Buffer.alloc(takenBytes));
    await checkDisk(folder, bavail * bsize - takenBytes / 2);
    await rm(join(folder, 'checkpoints'), { recursive: true });
    await assert.rejects(checkDisk(folder, bavail * bsize + takenBytes / 2), TrialError);
  });
});
