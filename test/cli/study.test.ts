import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runStudy } from '../../src/cli/study.ts';
import { silentLogger } from '../../src/foundation/logger.ts';
import type { StudyReport } from '../../src/generated/study-report.ts';
import { lockHolder } from '../../src/run-folder/lock.ts';
import { parseStudyReport } from '../../src/run-folder/study-result.ts';
import { runCli, startCli, until } from '../support/command.ts';
import { runRequest, type RequestChanges } from '../support/task.ts';
import {
  changedStudy,
  changeTrial,
  timeless,
  writeTinyStudy,
  type TinyStudy,
} from '../support/study.ts';

let tiny: TinyStudy;
/** The report of the study that nobody interrupted. */
let whole: StudyReport;
/** A study of the first seed only, and its report. */
let short: { readonly file: string; readonly report: StudyReport };

before(async () => {
  tiny = await writeTinyStudy();
  const file = changedStudy(tiny, 'short', { seeds: [1] });
  short = { file, report: await study(folderOf('short'), { file }) };
  whole = await study(folderOf('whole'));
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

function folderOf(name: string): string {
  return join(tiny.folder, name);
}

/** Folders of the tasks that the last study ran. */
let tasks: string[] = [];

interface StudyChanges {
  readonly file?: string;
  readonly write?: string;
  /** Changes to the task that is given this number, from 0. */
  readonly changes?: (task: number) => RequestChanges;
}

/** Runs a study with its tasks in this process. */
async function study(output: string, options: StudyChanges = {}): Promise<StudyReport> {
  const { file = tiny.file, write, changes = () => ({}) } = options;
  tasks = [];
  return runStudy(
    { file, output, write, overrides: {} },
    {
      logger: silentLogger,
      run: ({ configFile, output: folder, parameters = {}, overrides = {} }) => {
        tasks.push(folder!.slice(output.length + 1));
        const request = { parameters, overrides, ...changes(tasks.length - 1) };
        return runRequest(configFile, folder!, request);
      },
    },
  );
}

function reportIn(folder: string): StudyReport {
  const file = join(folder, 'study.json');
  return parseStudyReport(JSON.parse(readFileSync(file, 'utf8')), file);
}

/** Ends the study in the task of this number. */
async function cutIn(cut: number, folder: string, file: string): Promise<void> {
  const onEvent: RequestChanges['onEvent'] = (event, end) => {
    if (event.kind === 'step' && event.state.step === 5) end();
  };
  const onLine: RequestChanges['onLine'] = (line, end) => {
    if (line.startsWith('weights of step')) end();
  };
  const changes = (task: number): RequestChanges => (task === cut ? { onEvent, onLine } : {});
  await assert.rejects(study(folder, { file, changes }), { name: 'AbortError' });
  assert.equal(reportIn(folder).trials.finished, 1);
}

const TASKS = ['cream-1', 'random-spos-1', 'cream-2', 'random-spos-2'].flatMap((trial) => [
  trial,
  `${trial}/rank`,
  `${trial}/select-0-150000`,
]);

describe('a study of two algorithms and two seeds', { timeout: 1_200_000 }, () => {
  it('searches, ranks and selects for every run and seed, and writes four files', () => {
    assert.deepEqual(tasks, TASKS);
    const folder = folderOf('whole');
    assert.deepEqual(reportIn(folder), whole);
    for (const name of ['study.csv', 'study.md', 'study.svg']) {
      assert.ok(statSync(join(folder, name)).size > 0, name);
    }
    assert.deepEqual(whole.trials, { finished: 4, planned: 4 });
    for (const { trials, summary } of whole.runs) {
      assert.deepEqual(
        trials.map(({ seed, images }) => [seed, images]),
        [
          [1, 192],
          [2, 192],
        ],
      );
      assert.ok(summary.seconds.mean! > 0);
      for (const { picks } of trials) {
        assert.equal(picks.length, 2);
        assert.ok(picks[1]!.answer.macs <= 150_000);
        // The table knows all networks of the space.
        for (const { answer } of picks) assert.ok(answer.trueAccuracy !== null);
      }
    }
  });

  it('has the answers and the taus of the ordinary tasks in its folders', () => {
    for (const { name, trials } of whole.runs) {
      for (const { seed, picks, crossEntropyTau } of trials) {
        const json = (file: string): unknown =>
          JSON.parse(readFileSync(join(folderOf('whole'), `${name}-${seed}`, file), 'utf8'));
        const { best } = json('result.json') as { best: { path: string; score: number } };
        assert.deepEqual([picks[0].answer.arch, picks[0].answer.accuracy], [best.path, best.score]);
        const { scores } = json('rank/rank.json') as {
          scores: { name: string; kendallTau: object }[];
        };
        const score = scores.find((each) => each.name === 'crossEntropy');
        assert.deepEqual(crossEntropyTau, score!.kendallTau);
      }
    }
  });

  it('does nothing again that is finished, and writes the same report', async () => {
    const report = await study(folderOf('whole'));
    assert.deepEqual(tasks, []);
    assert.deepEqual(report, whole);
  });

  it('that is ended in a search goes on there, with the same report', async () => {
    const folder = folderOf('cut');
    await cutIn(3, folder, tiny.file);
    const report = await study(folder);
    assert.deepEqual(tasks, TASKS.slice(3));
    assert.deepEqual(timeless(report), timeless(whole));
  });

  for (const [what, cut] of [
    ['a rank study', 4],
    ['a selection', 5],
  ] as const) {
    it(`that is ended in ${what} goes on there, with the same report`, async () => {
      const folder = folderOf(`cut-${cut}`);
      await cutIn(cut, folder, short.file);
      const report = await study(folder, { file: short.file });
      assert.deepEqual(tasks, TASKS.slice(cut, 6));
      assert.deepEqual(timeless(report), timeless(short.report));
    });
  }

  it('refuses a folder whose searches had other settings, and leaves it as it is', async () => {
    const file = changedStudy(tiny, 'other', { settings: { boardSize: 5 } });
    await assert.rejects(study(folderOf('whole'), { file }), (error: Error) => {
      assert.match(error.message, /settings\.json.*boardSize = 4.*boardSize = 5/s);
      return true;
    });
    assert.deepEqual(tasks, []);
    // What no number depends on may change.
    changeTrial(tiny, { checkpoint: { steps: 7 } });
    await study(folderOf('whole'));
    assert.deepEqual(tasks, []);
  });

  it('ranks again what a changed table or seed of the choice concerns, and nothing else', async () => {
    const file = changedStudy(tiny, 'fewer', { nets: 5, rankSeed: 2 });
    const report = await study(folderOf('whole'), { file });
    assert.deepEqual(
      tasks,
      TASKS.filter((task) => task.endsWith('rank')),
    );
    assert.equal(report.table.ranked, 5);
    assert.deepEqual(timeless(await study(folderOf('whole'))), timeless(whole));
  });

  it('writes its tables and its plot into a page, and refuses a page without a place', async () => {
    const page = join(tiny.folder, 'page.md');
    const around = (text: string): string =>
      `# Title\n\n<!-- study: begin -->\n${text}<!-- study: end -->\n\nEnd.\n`;
    writeFileSync(page, around('old\n'));
    await study(folderOf('whole'), { write: page });
    const text = readFileSync(page, 'utf8');
    assert.ok(text.startsWith(around('').split('<!-- study: end')[0]!));
    assert.ok(text.endsWith('<!-- study: end -->\n\nEnd.\n'));
    assert.ok(text.includes('| cream | 2 |') && !text.includes('old'));
    assert.ok(text.includes('](page.svg)') && existsSync(join(tiny.folder, 'page.svg')));
    await study(folderOf('whole'), { write: page });
    assert.equal(readFileSync(page, 'utf8'), text);
    writeFileSync(page, '# Title\n');
    await assert.rejects(study(folderOf('none'), { write: page }), { code: 'USAGE' });
    assert.ok(!existsSync(folderOf('none')));
  });
});

describe('the command "study"', { timeout: 1_200_000 }, () => {
  it('ends by SIGTERM with its task, and the same command goes on', async () => {
    const folder = folderOf('killed');
    await cutIn(3, folder, short.file);
    const args = ['study', short.file, '--output', folder];
    const { child, ended, printed } = startCli(args);
    const second = join(folder, 'random-spos-1');
    const lock = join(second, 'lock.json');
    await until(() => existsSync(lock), { child, limitMs: 600_000 });
    child.kill('SIGTERM');
    await ended;
    assert.equal(child.signalCode, 'SIGTERM', printed.stderr);
    // Killed in the middle of its start it leaves a lock, but no process.
    assert.equal(await lockHolder(second), null);
    const again = await runCli([...args, '--json']);
    assert.equal(again.code, 0, again.stderr);
    assert.ok(!again.stderr.includes('cream-1: search'));
    assert.deepEqual(timeless(JSON.parse(again.stdout) as StudyReport), timeless(short.report));
  });

  it('says which task failed, after what the task itself has said', async () => {
    const folder = folderOf('failing');
    const search = join(folder, 'cream-1');
    const changes = { runs: [{ name: 'cream' }], seeds: [1], budgets: [] };
    const file = changedStudy(tiny, 'failing', changes);
    await study(folder, { file });
    rmSync(join(search, 'rank'), { recursive: true });
    writeFileSync(join(search, 'rank'), 'in the way');
    const { code, stderr } = await runCli(['study', file, '--output', folder]);
    assert.equal(code, 1);
    const errors = stderr.split('\n').filter((line) => line.startsWith('nni-cream: error'));
    assert.equal(errors.length, 2, stderr);
    assert.match(errors[0]!, /FILE_UNWRITABLE/);
    assert.match(errors[1]!, /STUDY_STOPPED: .*cream-1.rank/);
  });

  it('gives one error for a file that is none', async () => {
    const { code, stderr } = await runCli(['study', changedStudy(tiny, 'bad', { seeds: 'all' })]);
    assert.equal(code, 1);
    assert.match(stderr, /^nni-cream: error CONFIG_INVALID: .*seeds.*\n$/);
  });
});
