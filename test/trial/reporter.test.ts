import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { SearchMetrics } from '../../src/training/ports.ts';
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
  skippedSteps: 0,
  skippedImages: 1,
};

/** An outbox that keeps metrics. */
function recorder(): { readonly sent: Metric[]; post(metric: Metric): Promise<void> } {
  const sent: Metric[] = [];
  return {
    sent,
    post: (metric) => {
      sent.push(metric);
      return Promise.resolve();
    },
  };
}

const SOURCE = { parameterId: 7, trialJobId: TRIAL_ID };
const INVALID = { code: 'METRIC_INVALID' };

describe('createReporter', () => {
  it('writes the metric byte for byte, default first [checks 11, 16]', async () => {
    const outbox = recorder();
    const { default: primary, ...others } = METRICS;
    await createReporter(outbox, SOURCE).intermediate({ ...others, default: primary }, 3);
    assert.deepEqual(outbox.sent, [
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

  it('gives every epoch its own sequence, and 0 to the final one [check 12]', async () => {
    const outbox = recorder();
    const reporter = createReporter(outbox, SOURCE);
    for (const epoch of [0, 1, 2]) await reporter.intermediate(METRICS, epoch);
    await reporter.final(METRICS);
    assert.deepEqual(
      outbox.sent.map(({ type, sequence }) => [type, sequence]),
      [['PERIODICAL', 0], ['PERIODICAL', 1], ['PERIODICAL', 2], ['FINAL', 0]], // prettier-ignore
    );
  });

  it('R8: refuses numbers that are not finite, and sends nothing', async () => {
    const outbox = recorder();
    const reporter = createReporter(outbox, SOURCE);
    for (const loss of [NaN, Infinity, -Infinity, null as unknown as number]) {
      await assert.rejects(reporter.intermediate({ ...METRICS, loss }, 0), INVALID);
      await assert.rejects(reporter.final({ ...METRICS, loss }), INVALID);
    }
    assert.deepEqual(outbox.sent, []);
  });

  it('refuses other keys than those of the first report [check 14]', async () => {
    const outbox = recorder();
    const reporter = createReporter(outbox, SOURCE);
    await reporter.intermediate(METRICS, 0);
    const more = { ...METRICS, extra: 1 };
    await assert.rejects(reporter.intermediate(more, 1), INVALID);
    assert.equal(outbox.sent.length, 1);
  });
});
