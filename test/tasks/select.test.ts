import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Evaluation } from '../../src/generated/evaluation.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { folderStatus } from '../../src/run-folder/status.ts';
import { parseEvaluation } from '../../src/run-folder/study-result.ts';
import { writeTinySearch, type TinySearch } from '../e2e/support.ts';
import { runCli } from '../support/command.ts';
import { runRequest, type Ran, type RequestChanges } from '../support/task.ts';

/** The search scores all eight networks of the space. */
const CHANGES = { algorithm: 'spos', selection: { strategy: 'random', paths: 60 }, seed: 3 };
const MAX_MACS = 150_000;

let tiny: TinySearch;
let supernet: string;
let searched: SearchResult;
let runs = 0;

before(async () => {
  tiny = await writeTinySearch(CHANGES);
  supernet = join(tiny.folder, 'supernet');
  searched = (await runRequest(tiny.config, supernet)).result.result as SearchResult;
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

/** The best path of the search's ranking within the budget. */
function bestWithin(maxMacs: number): SearchResult['ranking'][number] {
  return searched.ranking.find(({ macs }) => macs <= maxMacs)!;
}

function select(
  keys: object,
  changes: RequestChanges = {},
  output = join(tiny.folder, `select-${runs++}`),
): Promise<Ran> {
  const overrides = { task: 'select', supernet, 'selection.strategy': 'evolution', ...keys };
  return runRequest(tiny.config, output, { overrides, ...changes });
}

function evaluationIn(folder: string): Evaluation {
  const file = join(folder, 'evaluation.json');
  return parseEvaluation(JSON.parse(readFileSync(file, 'utf8')), file);
}

describe('a selection with the weights of a search', { timeout: 300_000 }, () => {
  it('picks the best path within a budget, by the real command, with its files', async () => {
    assert.equal(searched.ranking.length, 8);
    assert.ok(searched.best.macs > MAX_MACS, 'the budget must change the answer');
    const args = ['select', supernet, '--max-macs', String(MAX_MACS), '--json'];
    const { code, stdout, stderr } = await runCli(args);
    assert.equal(code, 0, stderr);
    const folder = join(supernet, 'select');
    const written = evaluationIn(folder);
    assert.deepEqual(JSON.parse(stdout), written);
    const best = bestWithin(MAX_MACS);
    const { arch, accuracy, crossEntropy, macs } = written;
    assert.deepEqual(
      [arch.path, accuracy, crossEntropy, macs],
      [best.path, best.score, best.crossEntropy, best.macs],
    );
    const sample = readFileSync(join(folder, 'nas/arch.sample.json'), 'utf8');
    assert.deepEqual(JSON.parse(sample), arch.sample);
    assert.equal((await folderStatus(folder)).state, 'finished');
  });

  it('takes evolution where the config names no strategy', async () => {
    const { result } = await select({ 'selection.strategy': undefined, maxMacs: MAX_MACS });
    assert.equal(result.task, 'select');
    assert.equal(result.result.arch.path, bestWithin(MAX_MACS).path);
  });

  it('that is ended half-way keeps its scores, and the same command goes on', async () => {
    const output = join(tiny.folder, 'ended');
    await select({ maxMacs: MAX_MACS }, {}, output);
    const whole = evaluationIn(output);
    const scores = readFileSync(join(output, 'scores.jsonl'), 'utf8');
    const [first] = scores.split('\n');
    writeFileSync(join(output, 'scores.jsonl'), `${first}\n`);
    const onLine = (line: string, end: () => void): void => {
      if (line.startsWith('weights of step')) end();
    };
    await assert.rejects(select({ maxMacs: MAX_MACS }, { onLine }, output), { name: 'AbortError' });
    // What the folder held before is not shown as what this one found.
    assert.ok(!existsSync(join(output, 'evaluation.json')));
    const { state, next } = await folderStatus(output);
    assert.deepEqual([state, next], ['resumable', 'the same "nni-cream select"']);
    await select({ maxMacs: MAX_MACS }, {}, output);
    assert.deepEqual(evaluationIn(output), whole);
    assert.equal(readFileSync(join(output, 'scores.jsonl'), 'utf8'), scores);
  });

  it('refuses a board, which no supernet has, and a budget without a path', async () => {
    await assert.rejects(select({ 'selection.strategy': 'board' }), { code: 'CONFIG_INVALID' });
    await assert.rejects(select({ maxMacs: 5 }), { code: 'BUDGET_UNREACHABLE' });
    const { code, stderr } = await runCli(['select', supernet, '--max-macs', 'few']);
    assert.equal(code, 1);
    assert.match(stderr, /CONFIG_INVALID.*maxMacs/);
  });
});
