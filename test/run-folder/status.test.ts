import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { resumption } from '../../src/cli/resume.ts';
import { nameByConfig, renderStatus } from '../../src/cli/status.ts';
import { spos } from '../../src/algorithms/spos/spos.ts';
import type { CheckpointRun } from '../../src/generated/checkpoint.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { saveCheckpoint } from '../../src/run-folder/checkpoint/store.ts';
import { folderStatus } from '../../src/run-folder/status.ts';
import { acquireLock } from '../../src/run-folder/lock.ts';
import { CHECKPOINT_RUN } from '../support/checkpoint.ts';
import { nativeEngine } from '../support/engine.ts';
import { loadSearchSpace, spaceSha256 } from '../../src/tasks/space-files.ts';
import { ROOT } from '../support/spaces.ts';
import { tinySearch, tinySupernet } from '../support/tiny.ts';

let supernet: Supernet;
let folder = '';
let run: CheckpointRun;

/** Saves the state after so many steps, as checkpoint 1, 2, … */
async function save(step: number, path = [2, 0, 1]): Promise<void> {
  const search = tinySearch(spos);
  const state = initialState(supernet, search.algorithm.initialState());
  const ranking = [{ path, accuracy: 0.75, crossEntropy: 0.5 }];
  const savedAt = new Date(Date.UTC(2026, 0, 1, 0, 0, step));
  await saveCheckpoint(folder, takeSnapshot({ ...state, step, ranking }, search), {
    run,
    savedAt,
    score: null,
  });
}

const cut = (name: string): Promise<void> => truncate(join(folder, 'checkpoints', name), 100);

describe('folderStatus', () => {
  before(async () => {
    supernet = tinySupernet(await nativeEngine());
  });
  after(() => {
    supernet.dispose();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'status-'));
    const configFile = join(folder, 'my trial.yml');
    await writeFile(configFile, '');
    run = { ...CHECKPOINT_RUN, configFile, engine: 'js', totalSteps: 30 };
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('says of a folder without checkpoints how to begin', async () => {
    const { state, next, progress, best, checkpoints, metrics } = await folderStatus(folder);
    assert.equal(state, 'empty');
    assert.equal(next, `nni-cream search --config FILE --output ${folder}`);
    assert.deepEqual([progress, best, checkpoints], [null, null, []]);
    assert.deepEqual(metrics, { recorded: 0, undelivered: 0 });
    assert.deepEqual(await readdir(folder), ['my trial.yml']);
  });

  it('says of an unfinished search how far it is and what goes on with it', async () => {
    await save(5);
    await save(17);
    await writeFile(join(folder, 'metrics.jsonl'), '{}\n{}\n');
    await writeFile(join(folder, 'undelivered-metrics.jsonl'), '{}\n');
    const status = await folderStatus(folder);
    assert.equal(status.state, 'resumable');
    const progress = { step: 17, totalSteps: 30, epoch: 2, epochs: 3, percent: 56 };
    assert.deepEqual(status.progress, progress);
    assert.deepEqual(status.best, { path: '2 0 1', score: 0.75 });
    assert.deepEqual(status.metrics, { recorded: 2, undelivered: 1 });
    assert.equal(status.next, `nni-cream resume ${folder}`);
    const [newest, older] = status.checkpoints;
    assert.deepEqual([newest?.file, newest?.step], ['00000002.json', 17]);
    assert.deepEqual([newest?.savedAt, newest?.damage], ['2026-01-01T00:00:17.000Z', null]);
    assert.ok(newest!.bytes > 10_000);
    assert.equal(older?.step, 5);
    const { configFile, parameters, overrides, output } = await resumption(folder);
    assert.deepEqual([configFile, parameters], [run.configFile, { seed: 3 }]);
    assert.deepEqual([overrides, output], [{ engine: 'js' }, folder]);
    await rm(run.configFile);
    await assert.rejects(resumption(folder), { message: /nni-cream resume .* --config FILE/ });
    assert.equal((await resumption(folder, import.meta.filename)).configFile, import.meta.filename);
  });

  it('names the candidates of the best path where the search space is that of the config', async () => {
    const files = {
      skeleton: join(ROOT, 'nni-config/skeletons/nas-bench-macro.json'),
      space: join(ROOT, 'nni-config/spaces/nas-bench-macro.json'),
    };
    const config = { version: 1, ...files, data: { path: 'nowhere' }, epochs: 1, batchSize: 16 };
    await writeFile(run.configFile, JSON.stringify(config));
    const digest = spaceSha256(await loadSearchSpace(files));
    run = { ...run, mathematics: { 'content of skeleton and space': digest } };
    const path = [0, 1, 2, 0, 1, 2, 0, 1];
    await save(17, path);
    const names = ['identity', 'mb3_k3', 'mb6_k5'];
    const named = path.map((position) => names[position]).join(' ');
    const bestPath = async (): Promise<string | undefined> =>
      (await folderStatus(folder, nameByConfig)).best?.path;
    assert.equal(await bestPath(), named);

    run = { ...run, mathematics: { 'content of skeleton and space': 'of another space' } };
    await save(18, path);
    assert.equal(await bestPath(), path.join(' '), 'the files have changed since');
    await rm(run.configFile);
    assert.equal(await bestPath(), path.join(' '), 'the config is gone');
  });

  it('names a damaged checkpoint and counts on the older one', async () => {
    await save(5);
    await save(17);
    await cut('00000002.safetensors');
    const { state, progress, checkpoints } = await folderStatus(folder);
    assert.equal(state, 'resumable');
    assert.equal(progress?.step, 5);
    assert.match(checkpoints[0]?.damage ?? '', /00000002\.safetensors/);
    assert.deepEqual([checkpoints[0]?.step, checkpoints[1]?.damage], [17, null]);
  });

  it('calls a folder broken when no checkpoint is whole, and begins its search anew', async () => {
    await save(5);
    await save(17);
    await cut('00000001.json');
    await cut('00000002.safetensors');
    const status = await folderStatus(folder);
    assert.equal(status.state, 'broken');
    assert.equal(status.checkpoints[1]?.step, null);
    const search = `nni-cream search --config '${run.configFile}' --output ${folder}`;
    assert.equal(status.next, `${search} --overwrite`);
    await assert.rejects(resumption(folder), {
      code: 'CHECKPOINT_INVALID',
      message: /00000002\.json, 00000001\.json.*nni-cream status .*nni-cream search --overwrite/,
    });
  });

  it('calls a folder whose result is damaged unfinished: it is written again', async () => {
    await writeFile(join(folder, 'result.json'), '{"format": "nni-cream-result/2"');
    assert.equal((await folderStatus(folder)).state, 'broken', 'nothing to go on from');
    await save(30);
    const { state, problem, next, best } = await folderStatus(folder);
    assert.deepEqual([state, next], ['resumable', `nni-cream resume ${folder}`]);
    assert.match(problem ?? '', /result\.json/);
    assert.equal(best?.score, 0.75);
  });

  it('says which file it may not read', async () => {
    await mkdir(join(folder, 'metrics.jsonl'));
    await assert.rejects(folderStatus(folder), { code: 'FILE_UNREADABLE', message: /EISDIR/ });
  });

  it('says who writes into a folder', async () => {
    await save(5);
    const lock = await acquireLock(folder, { command: 'search of a.yml', time: new Date(0) });
    const status = await folderStatus(folder);
    await lock.release();
    assert.deepEqual([status.state, status.next], ['running', null]);
    assert.equal(status.holder?.pid, process.pid);
    assert.match(renderStatus(status), /^process {5}\d+ of .* since 1970-01-01T00:00:00\.000Z$/m);
  });

  it('is told as one fact a line', async () => {
    await save(17);
    assert.deepEqual(renderStatus(await folderStatus(folder)).split('\n'), [
      `folder      ${folder}`,
      'state       resumable',
      'progress    step 17 of 30 (56 %), epoch 2 of 3',
      'best        0.7500 with 2 0 1',
      'checkpoint  00000001.json, step 17, 2026-01-01T00:00:17.000Z, 1 MiB, whole',
      'metrics     0 recorded, 0 not delivered',
      `go on with  nni-cream resume ${folder}`,
    ]);
  });

  it('refuses what is no folder', async () => {
    const nowhere = join(folder, 'nowhere');
    await assert.rejects(folderStatus(nowhere), { code: 'FILE_UNREADABLE' });
    await assert.rejects(resumption(nowhere), { code: 'NOTHING_TO_RESUME' });
  });
});
