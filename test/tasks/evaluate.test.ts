import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Evaluation } from '../../src/generated/evaluation.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { manifestFiles, readManifest } from '../../src/run-folder/checkpoint/store.ts';
import { writeShapes } from '../../src/data/obtain/shapes.ts';
import { folderStatus } from '../../src/run-folder/status.ts';
import { parseEvaluation } from '../../src/run-folder/study-result.ts';
import { changedConfig, writeTinySearch, type TinySearch } from '../e2e/support.ts';
import { runCli } from '../support/command.ts';
import { ROOT } from '../support/spaces.ts';
import { runRequest, type Ran } from '../support/task.ts';

let tiny: TinySearch;
/** Output folder of a finished search. */
let supernet: string;
let searched: SearchResult;
let runs = 0;

/** Random paths do not all score alike. */
const CHANGES = { algorithm: 'spos', selection: { strategy: 'random', paths: 30 }, seed: 3 };

before(async () => {
  tiny = await writeTinySearch(CHANGES);
  supernet = join(tiny.folder, 'supernet');
  searched = (await runRequest(tiny.config, supernet)).result.result as SearchResult;
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

function newFolder(): string {
  return join(tiny.folder, `evaluation-${runs++}`);
}

/** Evaluates with the config of the search, changed. */
function evaluate(keys: object, changes: object = {}, output = newFolder()): Promise<Ran> {
  const config = changedConfig(tiny, `config-${runs++}`, { ...CHANGES, ...changes });
  const overrides = { task: 'evaluate', supernet, ...keys };
  return runRequest(config, output, { overrides });
}

async function evaluationOf(arch: string): Promise<Evaluation> {
  const { result } = await evaluate({ arch });
  assert.equal(result.task, 'evaluate');
  return result.result;
}

/** What an evaluation and a row of a ranking both say. */
function scoreOf({ path, score, crossEntropy, macs, params }: SearchResult['ranking'][number]) {
  return { path, accuracy: score, crossEntropy, macs, params };
}

function scoreIn({ arch, accuracy, crossEntropy, macs, params }: Evaluation) {
  return { path: arch.path, accuracy, crossEntropy, macs, params };
}

describe('an evaluation with the weights of a search', { timeout: 300_000 }, () => {
  it("gives the search's answer the same scores, bit for bit, by a real command", async () => {
    // Relative to where the command runs, not to the config.
    const arch = relative(ROOT, join(supernet, 'nas/arch.sample.json'));
    const { code, stdout, stderr } = await runCli(['evaluate', supernet, '-a', arch, '--json']);
    assert.equal(code, 0, stderr);
    const printed = JSON.parse(stdout) as Evaluation;
    const file = join(supernet, 'evaluate/evaluation.json');
    const written = parseEvaluation(JSON.parse(readFileSync(file, 'utf8')), file);
    assert.deepEqual(printed, written);
    assert.deepEqual(scoreIn(written), scoreOf({ rank: 1, ...searched.best }));
    assert.deepEqual(written.arch.sample, searched.best.sample);
    assert.equal(written.testAccuracy, searched.testAccuracy);
    assert.equal(written.images, searched.data.rankingImages);
  });

  it('reads an evaluation as the architecture that it is of', async () => {
    const output = newFolder();
    const { path } = searched.ranking.at(-1)!;
    await evaluate({ arch: path }, {}, output);
    assert.equal((await evaluationOf(join(output, 'evaluation.json'))).arch.path, path);
  });

  it('gives every other path the scores that it had in the ranking', async () => {
    assert.ok(searched.ranking.length > 4);
    for (const row of searched.ranking) {
      assert.deepEqual(scoreIn(await evaluationOf(row.path)), scoreOf(row));
    }
    assert.ok(new Set(searched.ranking.map(({ crossEntropy }) => crossEntropy)).size > 4);
  });

  it('says which weights it used', async () => {
    const { weights } = await evaluationOf(searched.best.path);
    const [newest] = await manifestFiles(supernet);
    const { arrays, state } = await readManifest(newest!);
    assert.deepEqual(weights, { folder: supernet, step: state.step, sha256: arrays.sha256 });
  });

  it('tells NNI once, of the accuracy, the cross-entropy and the costs', async () => {
    const { events, result } = await evaluate({ arch: searched.best.path });
    const { accuracy, crossEntropy, macs, params } = result.result as Evaluation;
    const metrics = { default: accuracy, crossEntropy, macs, params };
    assert.deepEqual(events, [{ kind: 'answer', metrics }]);
  });

  it('reads the architecture in every form that is written, and from other folders', async () => {
    const { path, sample } = searched.best;
    const code = path.split(' ').map((name) => (name === 'identity' ? '0' : '1')).join(''); // prettier-ignore
    const parameters = Object.fromEntries(
      Object.entries(sample).map(([label, name]) => [
        label,
        { _value: name, _idx: name === 'identity' ? 0 : 1 },
      ]),
    );
    mkdirSync(join(tiny.folder, 'forms'));
    writeFileSync(join(tiny.folder, 'forms/tuner.json'), JSON.stringify(parameters));
    writeFileSync(join(tiny.folder, 'forms/sample'), JSON.stringify(sample));
    const files = ['sample', 'fixed', 'parameters', 'classic'].map((form) =>
      join(supernet, `nas/arch.${form}.json`),
    );
    const forms = [
      path,
      `  ${path.replaceAll(' ', '   ')} `,
      code,
      ...files,
      join(supernet, 'result.json'),
      'forms/tuner.json', // relative to the config
      'forms/sample',
    ];
    for (const arch of forms) {
      assert.equal((await evaluationOf(arch)).arch.path, path, arch);
    }
  });

  it('reads the second of two networks where two are told apart by one block', async () => {
    const paths = ['identity identity mb3_k3', 'identity mb3_k3 identity'];
    const found = [];
    for (const path of paths) found.push((await evaluationOf(path)).arch.path);
    assert.deepEqual(found, paths);
  });

  it('refuses what is no network of the space', async () => {
    const nowhere = 'nas/arch.json';
    const wrong = ['identity identity', '012', '00', 'mb3_k3 mb3_k3 mb9_k9', 'a_name'];
    for (const arch of wrong) {
      await assert.rejects(evaluate({ arch }), { code: 'ARCHITECTURE_INVALID' }, arch);
    }
    await assert.rejects(evaluate({ arch: nowhere }), { code: 'FILE_UNREADABLE' });
    await assert.rejects(evaluate({}), { code: 'CONFIG_INVALID', message: /arch/ });
  });

  it('refuses weights of another seed or of other images: it would measure on training images', async () => {
    const arch = searched.best.path;
    await assert.rejects(evaluate({ arch }, { seed: 4 }), {
      code: 'CHECKPOINT_MISMATCH',
      message: /wanted seed = 3; found seed = 4/,
    });
    const data = { path: 'shapes', maxImages: 200 };
    await assert.rejects(evaluate({ arch }, { data }), {
      code: 'CHECKPOINT_MISMATCH',
      message: /data\.maxImages = null.*data\.maxImages = 200/,
    });
    const others = { classes: 3, train: 240, test: 30, size: 16, seed: 2 };
    await writeShapes(join(tiny.folder, 'others'), others);
    await assert.rejects(evaluate({ arch }, { data: { path: 'others' } }), {
      code: 'CHECKPOINT_MISMATCH',
      message: /wanted content of data = "[\da-f]{64}"; found content of data = "[\da-f]{64}"/,
    });
  });

  it('in the same folder as an earlier one replaces it and its metrics, unless it is refused', async () => {
    const [first, second] = ['identity identity mb3_k3', 'mb3_k3 mb3_k3 mb3_k3'];
    const folder = newFolder();
    const evaluateIt = (arch: string) => runCli(['evaluate', supernet, '-a', arch, '-o', folder]);
    const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const foundPath = (): string => (JSON.parse(textOf('evaluation.json')) as Evaluation).arch.path;
    assert.equal((await evaluateIt(first)).code, 0);
    assert.equal(foundPath(), first);
    const metrics = textOf('metrics.jsonl');
    assert.equal((await evaluateIt('no such network')).code, 1);
    await assert.rejects(evaluate({ arch: second }, { seed: 4 }, folder), {
      code: 'CHECKPOINT_MISMATCH',
    });
    assert.equal(foundPath(), first);
    assert.equal(textOf('metrics.jsonl'), metrics);

    assert.equal((await evaluateIt(second)).code, 0);
    const { arch, crossEntropy, macs } = JSON.parse(textOf('evaluation.json')) as Evaluation;
    assert.equal(arch.path, second);
    const [line, ...others] = textOf('metrics.jsonl').trimEnd().split('\n');
    assert.deepEqual(others, []);
    const told = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual([told['crossEntropy'], told['macs']], [crossEntropy, macs]);
  });

  it('is told by the status of its folder, and what to do when its file is damaged', async () => {
    const folder = newFolder();
    const arch = searched.best.path;
    await evaluate({ arch }, {}, folder);
    const { state, study, next, problem } = await folderStatus(folder);
    assert.deepEqual([state, next, problem], ['finished', null, null]);
    const { score, crossEntropy } = searched.best;
    const numbers = `accuracy ${score.toFixed(4)}, cross-entropy ${crossEntropy.toFixed(4)}`;
    assert.equal(study, `${numbers} of ${arch}`);
    writeFileSync(join(folder, 'evaluation.json'), '{"format"');
    const damaged = await folderStatus(folder);
    assert.deepEqual([damaged.state, damaged.study], ['broken', null]);
    assert.match(damaged.problem ?? '', /evaluation\.json/);
    assert.equal(damaged.next, 'the same "nni-cream evaluate"');
  });

  it('takes weights of a search whose training went by other numbers', async () => {
    const { result } = await evaluate(
      { arch: searched.best.path },
      { lr: 9, epochs: 99, batchSize: 32, algorithm: 'cream', momentum: 0.1 },
    );
    assert.equal((result.result as Evaluation).accuracy, searched.best.score);
  });

  it('refuses a folder without weights, and a config that names none', async () => {
    const arch = searched.best.path;
    const empty = newFolder();
    mkdirSync(empty);
    await assert.rejects(evaluate({ arch, supernet: empty }), { code: 'NOTHING_TO_RESUME' });
    const config = changedConfig(tiny, `config-${runs++}`, CHANGES);
    const overrides = { task: 'evaluate', arch };
    await assert.rejects(runRequest(config, newFolder(), { overrides }), {
      code: 'CONFIG_INVALID',
      message: /supernet/,
    });
  });

  it('leaves the folder of the search as it was, and its metrics in it', async () => {
    const metrics = join(supernet, 'metrics.jsonl');
    writeFileSync(metrics, '{"mine":1}\n');
    await evaluationOf(searched.best.path);
    assert.equal(readFileSync(metrics, 'utf8'), '{"mine":1}\n');
    const result = join(supernet, 'result.json');
    const text = readFileSync(result);
    rmSync(result); // as if the search had not come to its end
    const inItself = evaluate({ arch: searched.best.path }, {}, supernet);
    await assert.rejects(inItself, { code: 'CONFIG_INVALID', message: /another folder/ });
    assert.equal(readFileSync(metrics, 'utf8'), '{"mine":1}\n');
    writeFileSync(result, text);
  });
});
