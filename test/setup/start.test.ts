import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { prepareExperiment } from '../../scripts/start.ts';
import { writeShapes } from '../../src/data/obtain/shapes.ts';
import { parseTrialConfig } from '../../src/tasks/config.ts';
import { loadSearchSpace } from '../../src/tasks/space-files.ts';

describe('npm start, before it starts an experiment,', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'nni-cream-start-'));
  });
  after(() => {
    rmSync(root, { recursive: true });
  });

  it('suits the search to the images that are named', async () => {
    const path = join(root, 'images');
    await writeShapes(path, { classes: 4, train: 400, test: 4, size: 16, seed: 0 });
    const { experiment } = await prepareExperiment(root, path);
    const read = parse(readFileSync(experiment, 'utf8')) as Record<string, string>;
    const folder = join(dirname(experiment), read['trialCodeDirectory']!);
    const trial = join(folder, read['trialCommand']!.split(' ').at(-1)!);
    const config = parseTrialConfig(readFileSync(trial, 'utf8'), trial);
    assert.equal(config.data.path, path);
    assert.equal(config.batchSize, 32);
    const space = await loadSearchSpace(config);
    assert.deepEqual([space.classes, space.imageSize], [4, 32]);
  });

  it('refuses images that a trial would refuse', async () => {
    await assert.rejects(prepareExperiment(root, join(root, 'nowhere')), {
      code: 'DATA_NOT_FOUND',
    });
    const few = join(root, 'few');
    await writeShapes(few, { classes: 4, train: 100, test: 4, size: 16, seed: 0 });
    await assert.rejects(prepareExperiment(root, few), { code: 'DATA_INVALID' });
    assert.ok(existsSync(few));
  });
});
