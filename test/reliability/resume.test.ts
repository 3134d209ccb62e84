import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SearchResult } from '../../src/generated/result.ts';
import { manifestFiles, readManifest } from '../../src/run-folder/checkpoint/store.ts';
import { changedConfig, type TinySearch, writeTinySearch } from '../e2e/support.ts';
import { runCli, startCli, until } from '../support/command.ts';

const EPOCHS = 12;

describe('an unfinished search that goes on with another config', { timeout: 300_000 }, () => {
  let tiny: TinySearch;
  /** Output folder of a search that was killed in its middle; tests work on copies. */
  let unfinished: string;
  let undisturbed: SearchResult;
  let step: number;
  before(async () => {
    tiny = await writeTinySearch({ epochs: EPOCHS, imagesPerEpoch: 160, checkpoint: { steps: 3 } });
    const whole = join(tiny.folder, 'whole');
    const { code, stderr } = await runCli(['search', '-c', tiny.config, '-o', whole]);
    assert.equal(code, 0, stderr);
    undisturbed = resultIn(whole);
    unfinished = join(tiny.folder, 'unfinished');
    step = await killInTheMiddle();
  });
  after(() => {
    rmSync(tiny.folder, { recursive: true });
  });

  /** Gives the step of the newest checkpoint. */
  async function killInTheMiddle(): Promise<number> {
    const newest = async (): Promise<number> => {
      const [file] = await manifestFiles(unfinished);
      // The search may have removed it since.
      return file === undefined ? 0 : readManifest(file).then(({ state }) => state.step, newest);
    };
    const args = ['search', '-c', tiny.config, '-o', unfinished];
    await killOnce(args, async () => (await newest()) >= 40);
    return newest();
  }

  /** Starts the program, and kills it when something has come true. */
  async function killOnce(args: readonly string[], look: () => Promise<boolean>): Promise<void> {
    const { child, ended } = startCli(args);
    await until(look, { child });
    child.kill('SIGKILL');
    await ended;
    assert.equal(child.signalCode, 'SIGKILL', 'it was done before');
  }

  /** A copy of the unfinished folder, and a config with changes. */
  function copy(name: string, changes: object): { folder: string; config: string } {
    const folder = join(tiny.folder, name);
    cpSync(unfinished, folder, { recursive: true });
    return { folder, config: configWith(name, changes) };
  }

  const configWith = (name: string, changes: object): string => changedConfig(tiny, name, changes);

  it('is refused where the numbers follow from a changed key, which is named with both values', async () => {
    const { folder, config } = copy('changed', { momentum: 0.5, epochs: EPOCHS + 1 });
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder]);
    assert.equal(code, 1);
    assert.match(stderr, /CHECKPOINT_MISMATCH/);
    assert.match(stderr, /momentum = 0\.9/);
    assert.match(stderr, /momentum = 0\.5/);
    assert.match(stderr, new RegExp(`epochs = ${EPOCHS}\\b.*epochs = ${EPOCHS + 1}\\b`, 's'));
    assert.doesNotMatch(stderr, /batchSize =/, 'only what differs is named');
  });

  it('is refused where the images have changed, though their path has not', async () => {
    const { folder, config } = copy('images', { data: { path: 'shapes', maxImages: 200 } });
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder]);
    assert.equal(code, 1);
    assert.match(stderr, /CHECKPOINT_MISMATCH.*data\.maxImages = null.*data\.maxImages = 200/s);
  });

  it('goes on beyond its half where harmless keys changed and files moved, to the same end', async () => {
    const { folder, config } = copy('harmless', {
      data: { path: 'elsewhere', cache: 'other-cache' },
      checkpoint: { minutes: 60 },
      baselinePaths: 1,
    });
    const shapes = join(tiny.folder, 'shapes');
    renameSync(shapes, join(tiny.folder, 'elsewhere'));
    const { code, stderr } = await runCli(['resume', folder, '-c', config]);
    renameSync(join(tiny.folder, 'elsewhere'), shapes);
    assert.equal(code, 0, stderr);
    assert.ok(stderr.includes(`goes on from step ${step} of ${10 * EPOCHS}`), stderr);
    assertSameAnswer(resultIn(folder), undisturbed);
  });

  it('resumeFrom starts a new folder from it and leaves it as it was', async () => {
    const config = configWith('from', { resumeFrom: unfinished });
    const before = await manifestFiles(unfinished);
    const folder = join(tiny.folder, 'from');
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder]);
    assert.equal(code, 0, stderr);
    assert.ok(stderr.includes(`goes on from step ${step} of ${10 * EPOCHS}`), stderr);
    assertSameAnswer(resultIn(folder), undisturbed);
    assert.deepEqual(await manifestFiles(unfinished), before);
    const metrics = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n');
    assert.equal(metrics.length, EPOCHS + 1, 'all reports, and the final one');
  });

  it('goes on with the engine that the command line chose', async () => {
    const config = configWith('js', { epochs: 2, imagesPerEpoch: 16 });
    const folder = join(tiny.folder, 'js');
    const args = ['search', '-c', config, '-o', folder, '--engine', 'js'];
    await killOnce(args, async () => (await manifestFiles(folder)).length > 0);
    const { code, stderr } = await runCli(['resume', folder]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /engine: .*pure JavaScript/);
    assert.doesNotMatch(stderr, /goes on with another/);
  });

  it('is refused where two images of a class have changed places', async () => {
    const { folder, config } = copy('places', { data: { path: 'places-shapes' } });
    const [shapes, changed] = ['shapes', 'places-shapes'].map((name) => join(tiny.folder, name));
    cpSync(shapes!, changed!, { recursive: true });
    const ofClass = readdirSync(shapes!, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.png'))
      .sort();
    const [one, other] = ofClass as [string, string];
    assert.equal(dirname(one), dirname(other));
    cpSync(join(shapes!, one), join(changed!, other));
    cpSync(join(shapes!, other), join(changed!, one));
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder]);
    assert.equal(code, 1);
    assert.match(stderr, /CHECKPOINT_MISMATCH.*content of data/s);
  });

  it('is refused when all its checkpoints are damaged', async () => {
    const { folder, config } = copy('damaged', {});
    for (const file of await manifestFiles(folder)) writeFileSync(file, '{"format":');
    const { code, stderr } = await runCli(['search', '-c', config, '-o', folder]);
    assert.equal(code, 1);
    assert.match(stderr, /CHECKPOINT_INVALID: .*nni-cream status .*nni-cream search --overwrite/);
  });
});

function resultIn(folder: string): SearchResult {
  return JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as SearchResult;
}

function assertSameAnswer(result: SearchResult, expected: SearchResult): void {
  const { best, board, activity, testAccuracy } = result;
  assert.deepEqual(
    { best, board, activity, testAccuracy },
    {
      best: expected.best,
      board: expected.board,
      activity: expected.activity,
      testAccuracy: expected.testAccuracy,
    },
  );
}
