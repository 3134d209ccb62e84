import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { lintFiles, renderLint, type LintedFile } from '../../src/cli/lint.ts';
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
    assert.match(checked.summary, /^trial config: 6561 networks.*62\.1 % inside the budget/);
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
    const prior = await lint('d.yml', config({ prior: { skip: 1 } }));
    assertRefused(prior, 'CONFIG_INVALID', '"skip"');
  });

  it('refuses what it does not know', async () => {
    assertRefused(await lint('e.yml', { name: 'x' }), 'USAGE', 'keys name');
    assertRefused(await lint('f.yml', ''), 'USAGE', 'null');
    assertRefused(await lint('g.yml', '{'), 'CONFIG_INVALID', 'line 1');
    assertRefused(await lint('h.yml', { format: 'x' }), 'ARCHITECTURE_INVALID', '/format');
  });

  it('goes on after a failure, one line a file', async () => {
    const linted = await lintFiles([join(folder, 'nowhere'), SPACE]);
    assert.deepEqual(
      linted.map(({ ok }) => ok),
      [false, true],
    );
    const lines = renderLint(linted).split('\n');
    assert.match(lines[0] ?? '', /^error .*nowhere.*\[FILE_UNREADABLE\]$/);
    assert.equal(lines[1], `ok    ${SPACE}: search space: 8 labels`);
  });
});
