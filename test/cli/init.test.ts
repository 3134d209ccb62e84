import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { shellWord, writeExperiment } from '../../src/cli/experiment-files.ts';
import { initExperiment, renderInit } from '../../src/cli/init.ts';
import { lintFiles } from '../../src/cli/lint.ts';
import { writeShapes } from '../../src/data/obtain/shapes.ts';
import { TrialError, type ErrorCode } from '../../src/foundation/errors.ts';
import { parseTrialConfig } from '../../src/tasks/config.ts';
import { loadSearchSpace } from '../../src/tasks/space-files.ts';
import { ROOT } from '../support/spaces.ts';

/** Everything that a shell, a regular expression or YAML could take for something else. */
const NASTY = `my $& $1 $\` "images": #1 'x' ~`;

const machine = { cores: 2, memoryBytes: 8e9 };

let root = '';

async function readConfig(file: string) {
  return parseTrialConfig(await readFile(file, 'utf8'), file);
}

async function refuses(folder: string, data: string, code: ErrorCode): Promise<void> {
  await assert.rejects(
    initExperiment({ folder, data, machine }),
    (thrown: unknown) => thrown instanceof TrialError && thrown.code === code,
  );
}

describe('initExperiment', () => {
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'init-'));
    const size = { train: 300, test: 30, size: 60, seed: 1 };
    await writeShapes(join(root, NASTY), { classes: 3, ...size });
  });
  after(() => rm(root, { recursive: true }));

  it('writes a search that suits the images and that lint accepts', async () => {
    const { files } = await initExperiment({
      folder: join(root, 'search'),
      data: join(root, NASTY),
      machine,
    });
    const config = await readConfig(files.config);
    const space = await loadSearchSpace(config);
    assert.equal(config.data.path, join(root, NASTY));
    assert.deepEqual([space.classes, space.imageSize], [3, 48]);
    assert.equal(config.batchSize, 32);
    for (const linted of await lintFiles(files.all)) {
      assert.equal(linted.ok, linted.file !== files.experiment, JSON.stringify(linted));
    }
  });

  it('says what it chose and why, and how to go on', async () => {
    const folder = join(root, 'told');
    const text = renderInit(await initExperiment({ folder, data: join(root, NASTY), machine }));
    assert.match(text, /^classes +3 +classes of the images: /m);
    assert.match(text, /^imageSize +48 +pixels a side; the shorter side of the images has 60$/m);
    assert.match(text, /^batchSize +32 +/m);
    assert.match(text, /^time +\d+ min +/m);
    assert.match(text, /^warning: .*held out/m);
    assert.match(text, /npx nni-cream search --config .*trial\.yml --output /);
    const config = await readFile(join(folder, 'trial.yml'), 'utf8');
    assert.match(config, /^# images a step.*\nbatchSize: 32$/m);
  });

  it('gives NNI a command that a shell takes apart as it is meant', async () => {
    const folder = join(root, NASTY, 'search');
    const { files } = await initExperiment({ folder, data: join(root, NASTY), machine });
    const experiment = parse(await readFile(files.experiment, 'utf8')) as Record<string, string>;
    assert.ok(existsSync(join(folder, experiment['searchSpaceFile']!)));
    const code = join(folder, experiment['trialCodeDirectory']!);
    const command = experiment['trialCommand']!.replace(/^exec node/, "printf '%s\\n'");
    const words = execFileSync('sh', ['-c', command], { cwd: code, encoding: 'utf8' });
    const [program, ...rest] = words.trimEnd().split('\n');
    assert.equal(join(code, program!), join(ROOT, 'dist/cli/main.js'));
    assert.deepEqual(rest, ['trial', '--config', 'trial.yml']);
  });

  it('writes nothing where there are no images', async () => {
    const folder = join(root, 'unwritten');
    await refuses(folder, join(root, 'nowhere'), 'DATA_NOT_FOUND');
    await mkdir(join(root, 'empty', 'train'), { recursive: true });
    await refuses(folder, join(root, 'empty'), 'DATA_INVALID');
    assert.ok(!existsSync(folder));
  });

  it(
    'refuses a folder that holds something, and one that cannot be made',
    { timeout: 20_000 },
    async () => {
      const folder = join(root, 'full');
      await mkdir(folder);
      await writeFile(join(folder, 'x'), '');
      await refuses(folder, join(root, NASTY), 'FILE_UNWRITABLE');
      await refuses(join(folder, 'x'), join(root, NASTY), 'FILE_UNWRITABLE');
      for (const never of ['/dev/null/x', '/proc/x', '/proc/x/y']) {
        await refuses(never, join(root, NASTY), 'FILE_UNWRITABLE');
      }
    },
  );
});

describe('shellWord', () => {
  it('makes one word of any path, and leaves a plain one as it is', () => {
    assert.equal(shellWord('../a-b/main.js'), '../a-b/main.js');
    const command = `printf '%s' ${shellWord(NASTY)}`;
    assert.equal(execFileSync('sh', ['-c', command], { encoding: 'utf8' }), NASTY);
  });
});

describe('writeExperiment', () => {
  it('without a proposal leaves every value of the shipped search as it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'init-'));
    try {
      const spec = { data: join(ROOT, '.cache/data/fashion-mnist'), classes: 10, proposal: null };
      const { config } = await writeExperiment(folder, spec);
      const shipped = join(ROOT, 'nni-config/trial.yml');
      const places = { directory: '', $schema: '', skeleton: '', space: '' };
      const plain = async (file: string): Promise<object> => {
        const read = await readConfig(file);
        return { ...read, ...places, data: { ...read.data, cache: '' } };
      };
      assert.deepEqual(await plain(config), await plain(shipped));
      const spaces = await Promise.all(
        [config, shipped].map(async (file) => loadSearchSpace(await readConfig(file))),
      );
      assert.deepEqual(spaces[0], spaces[1]);
      const { epochs, imagesPerEpoch, batchSize, rankingImages, calibrationImages, data } =
        await readConfig(config);
      assert.deepEqual(
        [epochs, imagesPerEpoch, batchSize, rankingImages, calibrationImages, data.maxImages],
        [7, 3000, 64, 500, 500, 20_000],
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
