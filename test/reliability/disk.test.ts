/** A search on a file system that is full, read-only or somebody else's; a real one, of 4 MiB. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { spos } from '../../src/algorithms/spos/spos.ts';
import { train, type TrainingContext } from '../../src/training/loop.ts';
import { initialState } from '../../src/training/state.ts';
import { Saver } from '../../src/run-folder/checkpoint/saver.ts';
import { newestCheckpoint } from '../../src/run-folder/checkpoint/store.ts';
import { folderStatus, type FolderStatus } from '../../src/run-folder/status.ts';
import { writeTinySearch, type TinySearch } from '../e2e/support.ts';
import { type Ended, runCli, startCli, until } from '../support/command.ts';
import { nativeEngine } from '../support/engine.ts';
import { recordingLogger } from '../support/nni.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { tinyContext, tinySearch, tinySupernet } from '../support/tiny.ts';

let tiny: TinySearch;
let disk: SmallDisk;
let output = '';

const searchIn = (folder: string): string[] => ['search', '-c', tiny.config, '-o', folder];

function assertRefused({ code, stderr }: Ended, found: RegExp): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, /nni-cream: error FILE_UNWRITABLE: /);
  assert.match(stderr, found);
  assert.doesNotMatch(stderr, /engine: /, 'it was refused only after the engine had been loaded');
}

/** Starts a search, does something to its disk in the midst, and waits for its end. */
async function searchWhile(disturb: () => Promise<void>): Promise<void> {
  const { child, printed, ended } = startCli(searchIn(output));
  await until(() => printed.stderr.includes('epoch 3/'), { child });
  await disturb();
  const { code, stderr } = await ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /WARNING .* the search goes on unsaved/);
  assert.match(stderr, /nni-cream: error FILE_UNWRITABLE: /);
}

/** Asserts that the folder is as a kill would have left it, then goes on with it to the end. */
async function assertResumable(): Promise<void> {
  const left: FolderStatus = await folderStatus(output);
  assert.equal(left.state, 'resumable');
  assert.deepEqual(new Set(left.checkpoints.map(({ damage }) => damage)), new Set([null]));
  const { code, stderr } = await runCli(['resume', output]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`goes on from step ${left.progress!.step} of`));
  assert.equal((await folderStatus(output)).state, 'finished');
}

async function partialFiles(): Promise<string[]> {
  const names = await readdir(output, { recursive: true });
  return names.filter((name) => name.endsWith('.partial'));
}

describe('on a small disk', { timeout: 300_000 }, () => {
  before(async () => {
    tiny = await writeTinySearch({ epochs: 60 });
  });
  after(() => rm(tiny.folder, { recursive: true }));
  beforeEach(async () => {
    disk = await mountSmallDisk(4);
    output = join(disk.folder, 'out');
  });
  afterEach(() => disk.remove());

  it('a search is refused at once when there is too little room, with both sizes', async () => {
    const tooSmall = await mountSmallDisk(1);
    const ended = await runCli(searchIn(tooSmall.folder));
    assertRefused(ended, /wanted \d+ MiB of free space.*; found 1 MiB\. Free space/);
    assert.deepEqual(await readdir(tooSmall.folder), ['nas']);
    await tooSmall.remove();
  });

  it('a search is refused at once when there is no room at all', async () => {
    await disk.fill();
    assertRefused(await runCli(searchIn(output)), /ENOSPC.*Free space/);
    assert.deepEqual(await readdir(output), []);
  });

  it('a search is refused at once when the disk is read-only', async () => {
    await disk.setReadOnly(true);
    assertRefused(await runCli(searchIn(output)), /EROFS.*name another output folder/);
  });

  it('a search is refused at once where it may not write', async () => {
    await mkdir(output);
    await chmod(output, 0o555);
    // Root may write everywhere unless that power is taken away.
    const isRoot = process.getuid?.() === 0;
    const wrapper = isRoot ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];
    assertRefused(await runCli(searchIn(output), { wrapper }), /EACCES.*allow writing there/);
  });

  it('a save that finds the disk full leaves the old checkpoint, and training goes on', async () => {
    const supernet = tinySupernet(await nativeEngine());
    const search = tinySearch(spos, { epochs: 3 });
    const { algorithm, plan } = search;
    const first = initialState(supernet, algorithm.initialState());
    const logger = recordingLogger();
    const run = {
      configFile: 'trial.yml',
      parameters: {},
      engine: 'native' as const,
      totalSteps: plan.totalSteps,
      stepsPerEpoch: plan.stepsPerEpoch,
      mathematics: {},
      circumstances: {},
      badSamples: [],
    };
    const saver = new Saver(
      {
        output,
        schedule: { steps: 1, minutes: 5 },
        run,
        owner: { supernet, algorithm, plan },
        clock: () => 0,
        now: () => new Date(0),
        logger,
        signal: new AbortController().signal,
      },
      first,
    );
    const failures = () => logger.lines.filter((line) => line.includes('goes on unsaved'));
    const checkpoint: TrainingContext<typeof first.own>['keeper']['checkpoint'] = async (state) => {
      const isFull = state.step === 7 && failures().length === 0;
      if (isFull) await disk.fill();
      await saver.checkpoint(state);
      if (!isFull) return;
      assert.equal(failures().length, 1);
      assert.deepEqual(await partialFiles(), []);
      assert.equal((await newestCheckpoint(output, logger))?.manifest.state.step, 6);
      await disk.free();
    };
    const keeper = { checkpoint, rollBack: () => saver.rollBack() };
    const state = await train(first, tinyContext(supernet, search, { keeper }));
    supernet.dispose();
    assert.equal(state.step, plan.totalSteps);
    assert.equal(failures().length, 1);
    const newest = await newestCheckpoint(output, logger);
    assert.equal(newest?.manifest.state.step, plan.totalSteps);
  });

  it('two saves in a row that find it full end the search, which goes on later', async () => {
    await searchWhile(() => disk.fill());
    assert.deepEqual(await partialFiles(), []);
    await disk.free();
    await assertResumable();
  });

  it('a disk that becomes read-only ends the search, which goes on later', async () => {
    await searchWhile(() => disk.setReadOnly(true));
    await disk.setReadOnly(false);
    await assertResumable();
  });
});
