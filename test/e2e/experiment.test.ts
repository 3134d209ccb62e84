import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Experiment } from '../../scripts/nni/experiment.ts';
import { followExperiment, type Outcome } from '../../scripts/nni/follow.ts';
import type { Manager, Metric } from '../../scripts/nni/manager.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { startExperiment } from './support.ts';

const KEYS = [
  'bestMacs',
  'boardMean',
  'default',
  'imagesPerSecond',
  'kdLoss',
  'loss',
  'lr',
  'rho',
  'skippedImages',
  'skippedSteps',
];

describe('a real NNI experiment with two trials at a time', { timeout: 300_000 }, () => {
  let experiment: Experiment | undefined;
  let manager: Manager;
  let outcome: Outcome;
  let metrics: readonly Metric[];
  before(async () => {
    experiment = await startExperiment({
      trials: 2,
      searchSpace: { seed: { _type: 'choice', _value: [11, 22] } },
    });
    manager = experiment.manager;
    outcome = await followExperiment(manager, { print: () => undefined, pollMs: 500 });
    metrics = await manager.metrics();
  });
  after(() => experiment?.stop());

  it('ends DONE with both trials succeeded', async () => {
    const logs = outcome.trials.map(({ id }) => manager.trialFile(id, 'stderr'));
    assert.equal(outcome.status, 'DONE', outcome.errors.join());
    assert.deepEqual(
      outcome.trials.map(({ status }) => status),
      ['SUCCEEDED', 'SUCCEEDED'],
      (await Promise.all(logs)).join('\n'),
    );
  });

  it('has one report an epoch, then one final one, all with the same finite keys', () => {
    for (const { id } of outcome.trials) {
      const reports = metrics.filter(({ trialId }) => trialId === id);
      assert.deepEqual(
        reports.map(({ type, sequence }) => [type, sequence]),
        [...[0, 1, 2, 3].map((sequence) => ['PERIODICAL', sequence]), ['FINAL', 0]],
      );
      for (const { values } of reports) {
        assert.deepEqual(Object.keys(values).sort(), KEYS);
        assert.ok(Object.values(values).every(Number.isFinite), JSON.stringify(values));
      }
    }
  });

  it('gives each trial its own parameters', () => {
    const drawn = outcome.trials.map(({ parameters }) => parameters['seed']);
    assert.deepEqual(drawn.toSorted(), [11, 22]);
    const used = outcome.trials.map(({ folder }) => readResult(folder).provenance.seed);
    assert.deepEqual(used, drawn);
  });

  it('serves the log and leaves the result and the architecture in the output folder', async () => {
    for (const { id, folder } of outcome.trials) {
      assert.match(await manager.trialFile(id, 'trial.log'), /^\[\d{4}-\d\d-\d\d .*\] INFO /);
      const { best, provenance } = readResult(folder);
      assert.equal(provenance.trialId, id);
      const sample: unknown = JSON.parse(
        readFileSync(join(folder, 'nas/arch.sample.json'), 'utf8'),
      );
      assert.deepEqual(sample, best.sample);
      assert.equal(existsSync(join(folder, 'nas/arch.cream.json')), false, 'not a cream skeleton');
    }
  });

  it('reports the answer of the result as the final metric', () => {
    for (const { id, folder } of outcome.trials) {
      const final = metrics.find(({ trialId, type }) => trialId === id && type === 'FINAL');
      const { best } = readResult(folder);
      assert.equal(final?.values['default'], best.score);
      assert.equal(final.values['bestMacs'], best.macs);
    }
  });
});

function readResult(folder: string): SearchResult {
  return JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as SearchResult;
}
