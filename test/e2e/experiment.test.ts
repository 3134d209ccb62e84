import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Experiment } from '../../src/nni/experiment.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { followExperiment, type Outcome } from '../../src/nni/follow.ts';
import type { Manager, Metric } from '../../src/nni/manager.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { METRIC_KEYS } from '../support/metrics.ts';
import { startExperiment } from './support.ts';

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
    outcome = await followExperiment(manager, {
      print: () => undefined,
      pollMs: 500,
      timers: systemTimers,
    });
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
        assert.deepEqual(Object.keys(values).sort(), METRIC_KEYS);
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

  it('nnictl exports what all trials reported as valid JSON and CSV', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-export-'));
    try {
      const [json, csv] = [join(folder, 'all.json'), join(folder, 'all.csv')];
      await experiment?.exportTo(json, 'json');
      await experiment?.exportTo(csv, 'csv');
      const rows = JSON.parse(readFileSync(json, 'utf8')) as ExportedTrial[];
      const table = parseCsv(csv);
      const ids = outcome.trials.map(({ id }) => id).sort();
      assert.deepEqual(rows.map(({ trialJobId }) => trialJobId).sort(), ids);
      assert.deepEqual(table.map(({ trialJobId }) => trialJobId).sort(), ids);
      for (const { trialJobId, parameter, value, intermediate } of rows) {
        const values = metrics
          .filter(({ trialId }) => trialId === trialJobId)
          .map((it) => it.values);
        assert.deepEqual(JSON.parse(value), values.at(-1));
        // NNI lists the final report among the intermediate ones, as the last.
        const reports = intermediate.map((text): unknown => JSON.parse(text));
        assert.deepEqual(reports, values);
        const row = table.find((other) => other['trialJobId'] === trialJobId)!;
        assert.equal(Number(row['default']), values.at(-1)?.['default']);
        assert.equal(Number(row['seed']), parameter.seed);
        assert.deepEqual(JSON.parse(row['intermediate']!), reports);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reports the answer of the result as the final metric', () => {
    for (const { id, folder } of outcome.trials) {
      const final = metrics.find(({ trialId, type }) => trialId === id && type === 'FINAL');
      const { best, confirmation } = readResult(folder);
      assert.equal(final?.values['default'], confirmation.accuracy);
      assert.equal(final.values['bestMacs'], best.macs);
    }
  });
});

/** An entry of `nnictl experiment export --type json`. */
interface ExportedTrial {
  readonly trialJobId: string;
  readonly parameter: { readonly seed: number };
  /** JSON text of the final report. */
  readonly value: string;
  /** JSON text of each report. */
  readonly intermediate: readonly string[];
}

/** Rows of a CSV file by column, as Python's own module reads them. */
function parseCsv(file: string): Record<string, string>[] {
  const script =
    'import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1])))))';
  const run = spawnSync('.python/bin/python', ['-c', script, file], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout) as Record<string, string>[];
}

function readResult(folder: string): SearchResult {
  return JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as SearchResult;
}
