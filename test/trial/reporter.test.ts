import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { SearchMetrics } from '../../src/training/ports.ts';
import type { TrialChannel } from '../../src/trial/channel/channel.ts';
import { createReporter } from '../../src/trial/reporter.ts';
import { TRIAL_ID } from '../support/nni.ts';

const METRICS: SearchMetrics = {
  default: 0.25,
  loss: 2,
  kdLoss: 0,
  rho: 0,
  boardMean: 0.125,
  bestMacs: 28845913,
  lr: 0.05,
  imagesPerSecond: 120.5,
};

/** A channel that keeps metrics, and notes when two are under way at once. */
function recordingChannel(failAt = -1): TrialChannel & { sent: Metric[]; overlaps: number } {
  let underWay = 0;
  const channel = {
    sent: [] as Metric[],
    overlaps: 0,
    receiveParameters: () => Promise.reject(new Error('not asked for')),
    sendMetric: async (metric: Metric) => {
      if (++underWay > 1) channel.overlaps++;
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      if (channel.sent.length === failAt) throw new Error('gone');
      channel.sent.push(metric);
    },
    close: () => Promise.resolve(),
  };
  return channel;
}

const SOURCE = { parameterId: 7, trialJobId: TRIAL_ID };
const INVALID = { code: 'METRIC_INVALID' };

describe('createReporter', () => {
  it('writes the metric byte for byte, default first [checks 11, 16]', async () => {
    const channel = recordingChannel();
    const { default: primary, ...others } = METRICS;
    await createReporter(channel, SOURCE).intermediate({ ...others, default: primary });
    assert.deepEqual(channel.sent, [
      {
        parameter_id: 7,
        trial_job_id: 'RNssq',
        type: 'PERIODICAL',
        sequence: 0,
        value:
          '{"default": 0.25, "loss": 2.0, "kdLoss": 0.0, "rho": 0.0, "boardMean": 0.125, ' +
          '"bestMacs": 28845913.0, "lr": 0.05, "imagesPerSecond": 120.5}',
      },
    ]);
  });

  it('counts sequences from 0 without a gap, and 0 for the final one [check 12]', async () => {
    const channel = recordingChannel();
    const reporter = createReporter(channel, { ...SOURCE, parameterId: null });
    await reporter.intermediate(METRICS);
    await assert.rejects(reporter.intermediate({ ...METRICS, loss: NaN }), INVALID);
    await reporter.intermediate(METRICS);
    await reporter.final(METRICS);
    assert.deepEqual(
      channel.sent.map(({ type, sequence, parameter_id }) => [type, sequence, parameter_id]),
      [
        ['PERIODICAL', 0, null],
        ['PERIODICAL', 1, null],
        ['FINAL', 0, null],
      ],
    );
  });

  it('refuses everything after the final result [check 12]', async () => {
    const channel = recordingChannel();
    const reporter = createReporter(channel, SOURCE);
    await reporter.final(METRICS);
    await assert.rejects(reporter.final(METRICS), INVALID);
    await assert.rejects(reporter.intermediate(METRICS), INVALID);
    assert.equal(channel.sent.length, 1);
  });

  it('refuses what is no finite number and names it [checks 15, 17]', async () => {
    const channel = recordingChannel();
    const reporter = createReporter(channel, SOURCE);
    const wrong: unknown[] = [NaN, Infinity, -Infinity, null, '0.5', undefined];
    for (const value of wrong) {
      const metrics = { ...METRICS, default: value } as SearchMetrics;
      await assert.rejects(reporter.intermediate(metrics), {
        ...INVALID,
        message: new RegExp(`default = ${String(value)}`),
      });
    }
    assert.deepEqual(channel.sent, []);
  });

  it('refuses other keys than those of the first report', async () => {
    const channel = recordingChannel();
    const reporter = createReporter(channel, SOURCE);
    await reporter.intermediate(METRICS);
    const more = { ...METRICS, extra: 1 };
    await assert.rejects(reporter.final(more), INVALID);
    assert.equal(channel.sent.length, 1);
  });

  it('has one metric under way at a time, even for a hasty caller [check 20]', async () => {
    const channel = recordingChannel();
    const reporter = createReporter(channel, SOURCE);
    await Promise.all([
      reporter.intermediate(METRICS),
      reporter.intermediate(METRICS),
      reporter.final(METRICS),
    ]);
    assert.equal(channel.overlaps, 0);
    assert.deepEqual(
      channel.sent.map(({ type }) => type),
      ['PERIODICAL', 'PERIODICAL', 'FINAL'],
    );
  });

  it('sends nothing more after a failed send', async () => {
    const channel = recordingChannel(1);
    const reporter = createReporter(channel, SOURCE);
    await reporter.intermediate(METRICS);
    await assert.rejects(reporter.intermediate(METRICS), /gone/);
    await assert.rejects(reporter.final(METRICS), /gone/);
    assert.equal(channel.sent.length, 1);
  });
});
