import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ended, runCli } from '../support/command.ts';
import { ROOT } from '../support/spaces.ts';

const SKELETON = join(ROOT, 'nni-config/skeletons/cream.json');

let folder = '';

function command(args: readonly string[], flags: readonly string[] = []): Promise<Ended> {
  return runCli(args, { cwd: folder, env: { NNI_PLATFORM: '' }, flags });
}

/** Bad input of every command, and the code of the error that it ends with. */
const REFUSED: readonly (readonly [args: string, error: string])[] = [
  ['search -c nowhere.yml', 'FILE_UNREADABLE'],
  ['search -c broken.yml', 'CONFIG_INVALID'],
  ['search -c empty.yml --overwrite', 'CONFIG_INVALID'],
  ['trial -c nowhere.yml', 'FILE_UNREADABLE'],
  ['resume nowhere', 'NOTHING_TO_RESUME'],
  ['resume damaged', 'CHECKPOINT_INVALID'],
  ['status nowhere', 'FILE_UNREADABLE'],
  ['status broken.yml --json', 'FILE_UNREADABLE'],
  ['replay nowhere', 'FILE_UNREADABLE'],
  ['cost -s nowhere.json -a cream-287', 'FILE_UNREADABLE'],
  [`cost -s ${SKELETON} -a no-such-net`, 'FILE_UNREADABLE'],
  ['init /dev/null/folder', 'FILE_UNWRITABLE'],
  ['data fetch shapes --into /dev/null/folder', 'FILE_UNWRITABLE'],
  ['engine install --tensorflow 9.9.9 --from nowhere', 'FILE_UNREADABLE'],
];

const MISUSED = [
  '',
  'no-such-command',
  'search',
  'search -c a.yml --engine abacus',
  'trial --overwrite -c a.yml',
  'resume',
  'status',
  'status a b',
  'replay',
  'cost -s a.json',
  'lint',
  'init',
  'data fetch',
  'data fetch imagenet',
  'doctor --no-such-option',
  'engine no-such-command',
];

describe('nni-cream', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'exit-codes-'));
    await writeFile(join(folder, 'broken.yml'), '{');
    await writeFile(join(folder, 'empty.yml'), '');
    await mkdir(join(folder, 'damaged', 'checkpoints'), { recursive: true });
    await writeFile(join(folder, 'damaged', 'checkpoints', '00000001.json'), '{');
  });
  after(() => rm(folder, { recursive: true }));

  for (const [args, error] of REFUSED) {
    it(`"${args.replace(ROOT, '.')}" returns 1 and says ${error} in one line`, async () => {
      const { code, stdout, stderr } = await command(args.split(' '));
      const said = stderr.split('\n').filter((line) => line.startsWith('nni-cream: '));
      assert.equal(code, 1, stderr);
      assert.equal(said.length, 1, stderr);
      assert.match(said[0]!, new RegExp(`^nni-cream: error ${error}: .*wanted .*; found .*\\. .+`));
      assert.ok(stderr.endsWith(`${said[0]!}\n`), stderr);
      assert.equal(stdout, '');
    });
  }

  for (const args of MISUSED) {
    it(`"${args}" returns 2, as wrong usage`, async () => {
      const { code, stdout, stderr } = await command(args.split(' ').filter(Boolean));
      assert.equal(code, 2, stderr);
      assert.match(stderr, args === '' ? /^Usage: / : /^error: .+\n/);
      assert.equal(stdout, '');
    });
  }

  it('lint and status return 1 for what they find damaged', async () => {
    const linted = await command(['lint', 'broken.yml', SKELETON]);
    assert.equal(linted.code, 1);
    assert.match(linted.stdout, /^error .*\nok .*\n$/);
    const looked = await command(['status', 'damaged']);
    assert.equal(looked.code, 1);
    assert.match(looked.stdout, /^state {7}broken$/m);
  });

  it('returns 70 with a stack for what is a defect', async () => {
    const breakJson = 'data:text/javascript,JSON.stringify=()=>{throw new Error("on purpose")}';
    const { code, stderr } = await command(['status', folder, '--json'], ['--import', breakJson]);
    assert.equal(code, 70);
    assert.match(stderr, /^nni-cream: defect: Error: on purpose\n +at /);
  });

  it('returns 0 when all is well, and tells all exit codes', async () => {
    assert.equal((await command(['lint', SKELETON])).code, 0);
    assert.equal((await command(['status', folder])).code, 0);
    const { code, stdout } = await command(['--help']);
    assert.equal(code, 0);
    assert.match(stdout, /Exit codes: 0 .*, 1 .*, 2 .*,\s+3 .*,\s+70 /);
  });
});
