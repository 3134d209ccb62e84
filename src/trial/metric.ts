/** Converts a report to the form of NNI's manager, and back. */

import messageSchema from '../../schemas/nni-message.schema.json' with { type: 'json' };
import { TrialError } from '../foundation/errors.ts';
import { metricEntries, type Metrics } from '../foundation/metrics.ts';
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { Metric } from '../generated/nni-message.ts';
import type { HistoryEntry } from '../run-folder/history.ts';
import { encodeMetricValue } from './channel/encoding.ts';

const NEXT = 'schemas/nni-message.schema.json describes it; the file was damaged or changed.';

/** Checks a metric that comes from a file. @throws TrialError METRIC_INVALID */
export const parseMetric: Validator<Metric> = createValidator({
  schema: messageSchema.definitions.Metric,
  code: 'METRIC_INVALID',
  noun: 'a metric',
  next: NEXT,
});

/** NNI counts epochs from 0, and numbers the final result 0. */
export function toWire(entry: HistoryEntry): Metric {
  const { type, epoch, metrics, trialJobId, parameterId } = entry;
  return {
    parameter_id: parameterId,
    trial_job_id: trialJobId,
    ...(type === 'epoch'
      ? { type: 'PERIODICAL', sequence: epoch - 1 }
      : { type: 'FINAL', sequence: 0 }),
    value: encodeMetricValue(metricEntries(metrics)),
  };
}

/**
 * The history entry of a metric.
 *
 * @param told - What the metric does not hold: the time, and the last epoch before a final result.
 * @throws TrialError METRIC_INVALID when its value is not JSON text of numbers.
 */
export function fromWire(
  metric: Metric,
  { time, lastEpoch }: { time: string; lastEpoch: number },
): HistoryEntry {
  const isFinal = metric.type === 'FINAL';
  return {
    type: isFinal ? 'answer' : 'epoch',
    epoch: isFinal ? lastEpoch : metric.sequence + 1,
    time,
    metrics: numbersOf(metric),
    trialJobId: metric.trial_job_id,
    parameterId: metric.parameter_id,
  };
}

function numbersOf({ value, type }: Metric): Metrics {
  let numbers: unknown;
  try {
    numbers = JSON.parse(value);
  } catch {
    numbers = null;
  }
  if (isMetrics(numbers)) return numbers;
  const wanted = 'JSON text of finite numbers with the key default';
  throw new TrialError('METRIC_INVALID', {
    where: `${type} metric`,
    wanted,
    found: value,
    next: NEXT,
  });
}

function isMetrics(value: unknown): value is Metrics {
  if (typeof value !== 'object' || value === null || !('default' in value)) return false;
  return Object.values(value).every(Number.isFinite);
}
