import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import type { Engine } from '../../src/engine/engine.ts';
import { feasibility } from '../../src/searchspace/feasibility.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { planSearch, samplingOf } from '../../src/tasks/search-plan.ts';
import { parseTrialConfig } from '../../src/tasks/config.ts';
import { loadSearchSpace } from '../../src/tasks/space-files.ts';
import { nativeEngine } from '../support/engine.ts';
import { ROOT } from '../support/spaces.ts';
import { trainPath } from '../support/tiny.ts';

const FOLDER = join(ROOT, 'nni-config');
const files = readdirSync(FOLDER);
const trials = files.filter((name) => name.endsWith('trial.yml'));
const experiments = files.filter((name) => name.startsWith('experiment'));
const names = readdirSync(join(FOLDER, 'skeletons'));

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** Trains the first candidate of every block on one batch of grey ramps. */
function trainOnce(space: SearchSpace, count: number): number | null {
  const supernet = new Supernet(engine, space, 0);
  const images = new Float32Array(count * space.imageSize ** 2 * 3).map((_, i) => (i % 97) / 97);
  const batch = { count, images, labels: new Int32Array(count).map((_, i) => i % space.classes) };
  const path = space.choices.map(() => 0);
  const loss = trainPath(supernet, path, batch);
  supernet.dispose();
  return loss;
}

describe('what ships', () => {
  it('there are configs, skeletons and spaces, each skeleton with its space', () => {
    assert.ok(trials.length >= 2 && experiments.length >= 1);
    assert.deepEqual(readdirSync(join(FOLDER, 'spaces')), names);
  });

  for (const name of trials) {
    it(`${name} loads, plans and takes one training step of its own batch size`, async () => {
      const file = join(FOLDER, name);
      const config = parseTrialConfig(readFileSync(file, 'utf8'), file);
      const space = await loadSearchSpace(config);
      feasibility(space, samplingOf(config, space).budget);
      const counts = { classes: Array(space.classes), trainImages: 100_000 };
      const { plan } = planSearch(config, space, counts);
      assert.ok(plan.totalSteps > 0);
      assert.ok(Number.isFinite(trainOnce(space, plan.batchSize) ?? NaN));
    });
  }

  for (const name of names) {
    it(`skeletons/${name} with its space builds and takes one training step`, async () => {
      const [skeleton, space] = ['skeletons', 'spaces'].map((kind) => join(FOLDER, kind, name));
      const loss = trainOnce(await loadSearchSpace({ skeleton: skeleton!, space: space! }), 2);
      assert.ok(Number.isFinite(loss ?? NaN));
    });
  }

  for (const name of experiments) {
    it(`${name} runs a trial config that ships`, () => {
      const { trialCommand, searchSpaceFile } = parse(
        readFileSync(join(FOLDER, name), 'utf8'),
      ) as Record<string, string>;
      const [, config = ''] = /--config (\S+)/.exec(trialCommand!)!;
      assert.ok(existsSync(join(ROOT, config)), config);
      assert.ok(existsSync(join(FOLDER, searchSpaceFile!)), searchSpaceFile);
    });
  }
});
