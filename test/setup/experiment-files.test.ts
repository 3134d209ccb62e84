import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { countClasses } from '../../scripts/start/data.ts';
import { writeExperiment } from '../../scripts/start/experiment-files.ts';
import { writeShapes } from '../../src/data/obtain/shapes.ts';
import { parseTrialConfig } from '../../src/tasks/config.ts';
import { loadSearchSpace } from '../../src/tasks/space-files.ts';

describe('writeExperiment', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'nni-cream-start-'));
    cpSync('nni-config', join(root, 'nni-config'), { recursive: true });
  });
  after(() => {
    rmSync(root, { recursive: true });
  });

  it('names the data and suits the skeleton to their classes', async () => {
    const path = join(root, 'images');
    await writeShapes(path, { classes: 4, train: 120, test: 4, size: 16, seed: 0 });
    const experiment = writeExperiment(root, { path, classes: await countClasses(path) });
    const { trialCommand } = parse(readFileSync(experiment, 'utf8')) as { trialCommand: string };
    const trial = join(root, trialCommand.split(' ').at(-1)!);
    const config = parseTrialConfig(readFileSync(trial, 'utf8'), trial);
    assert.equal(config.data.path, path);
    assert.equal((await loadSearchSpace(config)).classes, 4);
  });
});
