import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { lintFiles, renderLint, type LintedFile } from '../../src/cli/lint.ts';
import { writeShapes } from '../../src/data/obtain/shapes.ts';
import { ROOT } from '../support/spaces.ts';

const SKELETON = join(ROOT, 'nni-config/skeletons/nas-bench-macro.json');
const SPACE = join(ROOT, 'nni-config/spaces/nas-bench-macro.json');

let folder = '';

async function lint(name: string, content: unknown): Promise<LintedFile> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : stringify(content));
  const [linted] = await lintFiles([file]);
  assert.ok(linted);
  return linted;
}

/** Of 300 images of ten classes, 270 of them to train on. */
function config(changes: object = {}): object {
  const data = { path: 'images' };
  return { skeleton: SKELETON, space: SPACE, data, epochs: 1, batchSize: 8, ...changes };
}

function assertRefused(linted: LintedFile, code: string, part: string): void {
  assert.ok(!linted.ok);
  assert.equal(linted.code, code);
  assert.ok(linted.message.includes(part), linted.message);
}

describe('lintFiles', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lint-'));
    const size = { train: 300, test: 10, size: 8, seed: 1 };
    await writeShapes(join(folder, 'images'), { classes: 10, ...size });
    await writeShapes(join(folder, 'two'), { classes: 2, ...size });
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  it('tells a skeleton, a space and a config by their content', async () => {
    const linted = await lintFiles([SKELETON, SPACE]);
    assert.deepEqual(
      linted.map((each) => each.ok && each.summary.split(':')[0]),
      ['skeleton', 'search space'],
    );
    const checked = await lint('trial.yml', config({ maxMacs: 60e6 }));
    assert.ok(checked.ok);
    assert.match(
      checked.summary,
      /with 7713280 to 105660928 multiply-accumulates and 387882 to 2932586 parameters,/,
    );
    assert.match(
      checked.summary,
      /^trial config: 6561 networks.*62\.1 % inside the budget; 300 training and 10 test images of 10 classes$/,
    );
  });

  it('follows a config to its files, its prior and its budget', async () => {
    const missing = await lint('a.yml', config({ space: 'none.json' }));
    assertRefused(missing, 'FILE_UNREADABLE', join(folder, 'none.json'));
    const stray = await lint('space.json', { layer_9: { _type: 'choice', _value: ['identity'] } });
    assert.ok(stray.ok);
    const unbound = await lint('b.yml', config({ space: 'space.json' }));
    assertRefused(unbound, 'SEARCH_SPACE_INVALID', 'label "layer_9"');
    const budget = await lint('c.yml', config({ maxMacs: 1e6 }));
    assertRefused(budget, 'BUDGET_UNREACHABLE', 'from 7713280 to 105660928');
    const both = { minMacs: 60e6, maxParams: 4e5 };
    const parameters = await lint('p.yml', config(both));
    assertRefused(parameters, 'BUDGET_UNREACHABLE', 'minParams 0, maxParams 400000');
    const none = await lint('n.yml', config({ minMacs: 60e6, prior: { identity: 1 } }));
    assertRefused(none, 'BUDGET_UNREACHABLE', 'minMacs 60000000');
    const prior = await lint('d.yml', config({ prior: { skip: 1 } }));
    assertRefused(prior, 'CONFIG_INVALID', '"skip"');
  });

  it('follows a config to its images, as a search does', async () => {
    const missing = await lint('i.yml', config({ data: { path: 'nowhere' } }));
    assertRefused(missing, 'DATA_NOT_FOUND', join(folder, 'nowhere'));
    const classes = await lint('j.yml', config({ data: { path: 'two' } }));
    assertRefused(classes, 'CONFIG_INVALID', '10 classes');
    const batch = await lint('k.yml', config({ batchSize: 271 }));
    assertRefused(batch, 'CONFIG_INVALID', 'the 270 training images');
    assert.ok((await lint('l.yml', config({ batchSize: 270 }))).ok);
  });

  it('refuses numbers that contradict each other, as a search does', async () => {
    for (const contradiction of [{ metaImages: 9 }, { probeImages: 11 }, { warmupEpochs: 1 }]) {
      const linted = await lint('m.yml', config(contradiction));
      assertRefused(linted, 'CONFIG_INVALID', `${Object.keys(contradiction).join('')}: wanted`);
    }
  });

  it('warns of images that a search could use and say little about', async () => {
    const linted = await lint('n.yml', config());
    assert.ok(linted.ok && linted.warnings.length === 1);
    const [ok = '', warning = ''] = renderLint([linted]).split('\n');
    assert.match(ok, /^ok {4}.*n\.yml: trial config/);
    assert.match(warning, /^warning .*n\.yml: .*held out/);
  });

  it('refuses what it does not know, and quotes no more than a few keys of it', async () => {
    assertRefused(await lint('e.yml', { name: 'x' }), 'USAGE', 'keys name');
    assertRefused(await lint('f.yml', ''), 'USAGE', 'nothing');
    assertRefused(await lint('g.yml', '{'), 'CONFIG_INVALID', 'line 1');
    assertRefused(await lint('h.yml', { format: 'x' }), 'ARCHITECTURE_INVALID', '/format');
    const secrets = Array.from({ length: 9 }, (_, i) => [`${i}${'k'.repeat(99)}`, 'hidden-value']);
    for (const hidden of [
      'root:hidden-value:0\nuser:hidden-value:1\n',
      ['hidden-value'],
      Object.fromEntries(secrets) as object,
      '- a\n b: hidden-value\n c',
    ]) {
      const linted = await lint('secret.yml', hidden);
      assert.ok(!linted.ok && !linted.message.includes('hidden-value'), JSON.stringify(linted));
      assert.ok(linted.message.length < 500, linted.message);
    }
  });

  it('goes on after a failure, one line a file', async () => {
    const linted = await lintFiles([join(folder, 'nowhere'), SPACE]);
    assert.deepEqual(
      linted.map(({ ok }) => ok),
      [false, true],
    );
    const lines = renderLint(linted).split('\n');
    assert.match(lines[0] ?? '', /^error [^ ]*nowhere: wanted .*\[FILE_UNREADABLE\]$/);
    assert.equal(lines[1], `ok    ${SPACE}: search space: 8 labels`);
  });
});
