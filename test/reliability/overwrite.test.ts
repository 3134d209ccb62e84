import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SearchResult } from '../../src/generated/result.ts';
import { manifestFiles } from '../../src/run-folder/checkpoint/store.ts';
import { readHistory } from '../../src/run-folder/history.ts';
import { changedConfig, type TinySearch, writeTinySearch } from '../e2e/support.ts';
import { runCli } from '../support/command.ts';

describe('a search in the folder of a finished one', { timeout: 300_000 }, () => {
  let tiny: TinySearch;
  let finished: string;
  before(async () => {
    tiny = await writeTinySearch();
    finished = join(tiny.folder, 'finished');
    const { code, stderr } = await runCli(['search', '-c', tiny.config, '-o', finished]);
    assert.equal(code, 0, stderr);
  });
  after(() => {
    rmSync(tiny.folder, { recursive: true });
  });

  function copy(name: string): string {
    const folder = join(tiny.folder, name);
    cpSync(finished, folder, { recursive: true });
    return folder;
  }

  const configWith = (changes: object): string => changedConfig(tiny, 'changed', changes);

  const bestIn = (folder: string): SearchResult['best'] =>
    (JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as SearchResult).best;

  it('that is to replace it leaves it as it is when the config has a mistake', async () => {
    const folder = copy('mistake');
    const checkpoints = await manifestFiles(folder);
    for (const changes of [{ data: { path: 'shaeps' } }, { maxMacs: 1 }]) {
      const args = ['search', '-c', configWith(changes), '-o', folder, '--overwrite'];
      const { code, stderr } = await runCli(args);
      assert.equal(code, 1, stderr);
      assert.deepEqual(bestIn(folder), bestIn(finished));
      assert.deepEqual(await manifestFiles(folder), checkpoints);
    }
  });

  it('that is to replace it begins anew', async () => {
    const folder = copy('anew');
    const args = ['search', '-c', configWith({ seed: 2 }), '-o', folder, '--overwrite'];
    const { code, stderr } = await runCli(args);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /goes on from/);
    const metricsIn = (place: string): string[] =>
      readFileSync(join(place, 'metrics.jsonl'), 'utf8').trim().split('\n');
    assert.equal(metricsIn(folder).length, 5, 'four epochs and the end');
    assert.notDeepEqual(metricsIn(folder), metricsIn(finished));
  });

  it('begins anew, metrics and all, where its checkpoints are gone and its result is damaged', async () => {
    const folder = copy('ruin');
    rmSync(join(folder, 'checkpoints'), { recursive: true });
    writeFileSync(join(folder, 'result.json'), '{"format":');
    const config = configWith({ seed: 3 });
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder]);
    assert.equal(code, 0, stderr);
    const answer = (await readHistory(folder)).at(-1);
    assert.equal(answer?.type, 'answer');
    assert.equal(answer.metrics.default, bestIn(folder).score);
  });

  it('is refused where it would empty the folder that it is to go on from', async () => {
    const folder = copy('own');
    const config = configWith({ resumeFrom: folder });
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder, '--overwrite']);
    assert.equal(code, 1);
    assert.match(stderr, /CONFIG_INVALID.*--overwrite/);
    assert.deepEqual(bestIn(folder), bestIn(finished));
  });

  it('writes a result that was damaged again, from the last checkpoint', async () => {
    const folder = copy('damaged');
    writeFileSync(join(folder, 'result.json'), '{"format":');
    const { code, stderr } = await runCli(['resume', folder]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /goes on from step 16 of 16/);
    assert.deepEqual(bestIn(folder), bestIn(finished));
  });

  it('is refused at once where it could not write the architecture', async () => {
    const folder = join(tiny.folder, 'closed');
    cpSync(join(finished, 'nas'), join(folder, 'nas'), { recursive: true });
    chmodSync(join(folder, 'nas'), 0o555);
    // Root may write everywhere unless that power is taken away.
    const isRoot = process.getuid?.() === 0;
    const wrapper = isRoot ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search'] : [];
    const { code, stderr } = await runCli(['search', '-c', tiny.config, '-o', folder], { wrapper });
    assert.equal(code, 1);
    assert.match(stderr, /FILE_UNWRITABLE.*EACCES.*nas/);
    assert.ok(!existsSync(join(folder, 'checkpoints')));
  });
});
