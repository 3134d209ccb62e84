import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { HistoryEntry } from '../../src/run-folder/history.ts';
import type { Metrics } from '../../src/foundation/metrics.ts';
import { toWire } from '../../src/trial/metric.ts';
import { createReporter, type Reporter } from '../../src/trial/reporter.ts';
import { TRIAL_ID } from '../support/nni.ts';

const METRICS: Metrics = {
  default: 0.25,
  loss: 2,
  kdLoss: 0,
  rho: 0,
  boardMean: 0.125,
  bestMacs: 28845913,
  lr: 0.05,
  imagesPerSecond: 120.5,
  skippedSteps: 0,
  skippedImages: 1,
};

const SOURCE = { parameterId: 7, trialJobId: TRIAL_ID };
const INVALID = { code: 'METRIC_INVALID' };
const NOW = '2026-01-02T03:04:05.678Z';

/** A reporter, and what it posts after what earlier processes have. */
function open(entries: HistoryEntry[] = []): { reporter: Reporter; entries: HistoryEntry[] } {
  const outbox = {
    post: (entry: HistoryEntry): Promise<void> => {
      entries.push(entry);
      return Promise.resolve();
    },
  };
  const history = {
    entries,
    get lastEpoch(): number {
      return entries.at(-1)?.epoch ?? 0;
    },
  };
  const reporter = createReporter({
    outbox,
    history,
    source: SOURCE,
    now: () => new Date(NOW),
  });
  return { reporter, entries };
}

const wireOf = (entries: readonly HistoryEntry[]): Metric[] => entries.map(toWire);

describe('createReporter', () => {
  it('reports what NNI takes byte for byte, default first, with the time of the recording', async () => {
    const { reporter, entries } = open();
    const { default: primary, ...others } = METRICS;
    await reporter.intermediate({ ...others, default: primary }, 3);
    assert.equal(entries[0]?.time, NOW);
    assert.deepEqual(wireOf(entries), [
      {
        parameter_id: 7,
        trial_job_id: 'RNssq',
        type: 'PERIODICAL',
        sequence: 3,
        value:
          '{"default": 0.25, "loss": 2.0, "kdLoss": 0.0, "rho": 0.0, "boardMean": 0.125, ' +
          '"bestMacs": 28845913.0, "lr": 0.05, "imagesPerSecond": 120.5, "skippedSteps": 0.0, ' +
          '"skippedImages": 1.0}',
      },
    ]);
  });

  it('counts epochs from 1, gives the answer the last one, and NNI its own numbers', async () => {
    const { reporter, entries } = open();
    for (const epoch of [0, 1, 2]) await reporter.intermediate(METRICS, epoch);
    await reporter.final(METRICS);
    assert.deepEqual(
      entries.map(({ type, epoch }) => [type, epoch]),
      [
        ['epoch', 1],
        ['epoch', 2],
        ['epoch', 3],
        ['answer', 3],
      ],
    );
    assert.deepEqual(
      wireOf(entries).map(({ type, sequence }) => [type, sequence]),
      [
        ['PERIODICAL', 0],
        ['PERIODICAL', 1],
        ['PERIODICAL', 2],
        ['FINAL', 0],
      ],
    );
  });

  it('refuses numbers that are not finite, and reports nothing', async () => {
    const { reporter, entries } = open();
    for (const loss of [NaN, Infinity, -Infinity, null as unknown as number]) {
      const found = { ...INVALID, message: new RegExp(`loss = ${String(loss)}`) };
      await assert.rejects(reporter.intermediate({ ...METRICS, loss }, 0), found);
      await assert.rejects(reporter.final({ ...METRICS, loss }), found);
    }
    assert.deepEqual(entries, []);
  });

  it('refuses other keys than those of the first report', async () => {
    const { reporter, entries } = open();
    await reporter.intermediate(METRICS, 0);
    const more = { ...METRICS, extra: 1 };
    await assert.rejects(reporter.intermediate(more, 1), INVALID);
    assert.equal(entries.length, 1);
  });

  it('refuses them also after the process that made the first report', async () => {
    const before = open();
    await before.reporter.intermediate(METRICS, 0);
    const { reporter } = open(before.entries);
    const fewer = Object.fromEntries(Object.entries(METRICS).filter(([name]) => name !== 'rho'));
    await assert.rejects(reporter.final(fewer as unknown as Metrics), {
      ...INVALID,
      message: /wanted the keys of the first report .*\brho\b.*--overwrite/,
    });
  });

  it('lets the reports of another trial, left in a copied folder, have other keys', async () => {
    const other: HistoryEntry = {
      type: 'epoch',
      epoch: 1,
      time: NOW,
      metrics: { default: 1, other: 2 },
      trialJobId: 'other',
      parameterId: 1,
    };
    const { reporter, entries } = open([other]);
    await reporter.intermediate(METRICS, 0);
    assert.equal(entries.length, 2);
  });
});
