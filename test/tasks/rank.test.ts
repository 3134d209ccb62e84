import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RankReport } from '../../src/generated/rank.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { folderStatus } from '../../src/run-folder/status.ts';
import { parseRankReport } from '../../src/run-folder/study-result.ts';
import { changedConfig, writeTinySearch, type TinySearch } from '../e2e/support.ts';
import { runCli } from '../support/command.ts';
import { runRequest, type Ran } from '../support/task.ts';

const CHANGES = { algorithm: 'spos', selection: { strategy: 'random', paths: 12 }, seed: 3 };

let tiny: TinySearch;
let supernet: string;
let table: string;
/** Networks of the table. */
let nets = 0;
let runs = 0;

before(async () => {
  tiny = await writeTinySearch(CHANGES);
  supernet = join(tiny.folder, 'supernet');
  const searched = (await runRequest(tiny.config, supernet)).result.result as SearchResult;
  const paths = searched.ranking.map(({ path }) => path);
  table = join(tiny.folder, 'table.csv');
  const lines = paths.map((path, i) => `${path},${(0.5 + 0.01 * i).toFixed(2)}`);
  writeFileSync(table, ['arch,accuracy', ...lines, ''].join('\n'));
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

function rank(output: string, changes: Parameters<typeof runRequest>[2] = {}): Promise<Ran> {
  const config = changedConfig(tiny, `config-${runs++}`, CHANGES);
  const overrides = { task: 'rank', supernet, 'rank.table': table };
  return runRequest(config, output, { overrides, ...changes });
}

function reportIn(folder: string): RankReport {
  const file = join(folder, 'rank.json');
  return parseRankReport(JSON.parse(readFileSync(file, 'utf8')), file);
}

/** All but the time that scoring took. */
function withoutTime({ seconds: _, ...report }: RankReport): object {
  return report;
}

function scoresIn(folder: string): string[] {
  return readFileSync(join(folder, 'scores.jsonl'), 'utf8').trimEnd().split('\n');
}

describe('a rank study with the weights of a search', { timeout: 300_000 }, () => {
  it('writes a report, a table and a plot by the real command, and prints the correlations', async () => {
    const { code, stdout } = await runCli(['rank', supernet, '--table', table]);
    assert.equal(code, 0);
    const folder = join(supernet, 'rank');
    const report = reportIn(folder);
    nets = report.nets.length;
    assert.ok(nets >= 2 && report.table.nets === nets);
    assert.match(stdout, /Kendall tau-b[^]*cross-entropy[^]*MACs[^]*log-depth/);
    const rows = readFileSync(join(folder, 'rank.csv'), 'utf8').trimEnd().split('\n');
    assert.equal(rows.length, nets + 1);
    assert.match(readFileSync(join(folder, 'rank.svg'), 'utf8'), /^<svg[^]*<\/svg>\s*$/);
    const status = await folderStatus(folder);
    assert.equal(status.state, 'finished');
    assert.match(status.study ?? '', new RegExp(`Kendall tau .* over ${nets} networks`));
  });

  it('takes the scores of the search itself: the same, bit for bit', () => {
    const keys = (folder: string): Map<string, string> =>
      new Map(
        scoresIn(folder).map((line) => {
          const { key, ...score } = JSON.parse(line) as { key: string };
          return [key.split(' ').at(-1) ?? '', JSON.stringify(score)];
        }),
      );
    const searched = keys(supernet);
    const ranked = [...keys(join(supernet, 'rank'))].filter(([path]) => searched.has(path));
    assert.ok(ranked.length > 0);
    for (const [path, score] of ranked) assert.equal(score, searched.get(path));
  });

  it('that was killed scores only what is left, with the same report', async () => {
    const [whole, cut] = [join(tiny.folder, 'whole'), join(tiny.folder, 'cut')];
    await rank(whole);
    await rank(cut);
    rmSync(join(cut, 'rank.json'));
    const kept = scoresIn(cut).slice(0, 2);
    writeFileSync(join(cut, 'scores.jsonl'), `${kept.join('\n')}\n{"key":"torn`);
    assert.equal((await folderStatus(cut)).state, 'resumable');
    const started = scoresIn(whole).length;
    await rank(cut);
    assert.deepEqual(withoutTime(reportIn(cut)), withoutTime(reportIn(whole)));
    const lines = scoresIn(cut).filter((line) => line.endsWith('}'));
    assert.deepEqual(lines.slice(0, 2), kept);
    assert.equal(lines.length, started);
  });

  it('that is ended half-way keeps its scores, and takes none of them again', async () => {
    const whole = join(tiny.folder, 'whole');
    const output = join(tiny.folder, 'ended');
    const onLine = (line: string, end: () => void): void => {
      if (line === `scored 3 of ${nets} networks`) end();
    };
    await assert.rejects(rank(output, { onLine }), { name: 'AbortError' });
    const kept = scoresIn(output);
    assert.equal(kept.length, 3);
    assert.ok(!existsSync(join(output, 'rank.json')));
    const { state, next } = await folderStatus(output);
    assert.deepEqual([state, next], ['resumable', 'the same "nni-cream rank"']);
    await rank(output);
    assert.deepEqual(withoutTime(reportIn(output)), withoutTime(reportIn(whole)));
    assert.deepEqual(scoresIn(output), scoresIn(whole));
    assert.deepEqual(scoresIn(output).slice(0, 3), kept);
    // Cut off again, the folder does not show what the earlier one found.
    const onStart = (line: string, end: () => void): void => {
      if (line.startsWith('weights of step')) end();
    };
    rmSync(join(output, 'scores.jsonl'));
    await assert.rejects(rank(output, { onLine: onStart }), { name: 'AbortError' });
    assert.equal((await folderStatus(output)).study, null);
    await rank(output);
    writeFileSync(join(output, 'rank.json'), '{}');
    const damaged = await folderStatus(output);
    assert.deepEqual([damaged.state, damaged.next], ['broken', 'the same "nni-cream rank"']);
  });

  it('draws fewer networks by a seed, and reports the same answer to NNI', async () => {
    const output = join(tiny.folder, 'few');
    const overrides = { task: 'rank', supernet, 'rank.table': table, 'rank.nets': 3 };
    const { events, result } = await rank(output, { overrides });
    assert.equal(result.task, 'rank');
    assert.equal(result.result.nets.length, 3);
    const answer = events.find(({ kind }) => kind === 'answer');
    assert.ok(answer?.kind === 'answer');
    const tau = result.result.scores.find(({ name }) => name === 'crossEntropy')?.kendallTau.value;
    assert.equal(answer.metrics.default, tau ?? 0);
  });

  it('refuses a foreign row before anything is scored', async () => {
    const foreign = join(tiny.folder, 'foreign.csv');
    writeFileSync(foreign, 'arch,accuracy\nskip skip skip,0.5\nskip skip conv,0.6\n');
    const output = join(tiny.folder, 'refused');
    const overrides = { task: 'rank', supernet, 'rank.table': foreign };
    await assert.rejects(rank(output, { overrides }), { code: 'ARCHITECTURE_INVALID' });
    assert.ok(!existsSync(join(output, 'scores.jsonl')));
  });
});
