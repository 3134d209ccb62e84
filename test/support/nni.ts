/** Small things that tests of the NNI side share. */
import type { Logger } from '../../src/foundation/logger.ts';
import type { Metric } from '../../src/generated/nni-message.ts';
import type { HistoryEntry } from '../../src/run-folder/history.ts';
import { fromWire } from '../../src/trial/metric.ts';

/** Record text as the Python SDK writes it. */
export const RECORD_TEXT =
  '{"parameter_id": 2, "parameter_source": "algorithm", "parameters": {"seed": 3, "deep": {"_name": "Conv", "k": [1, null, true, 1.5e-7]}, "text": "\\u00e9"}, "parameter_index": 0}';

/** What {@link RECORD_TEXT} says. */
export const RECORD = {
  parameterId: 2,
  parameters: { seed: 3, deep: { _name: 'Conv', k: [1, null, true, 1.5e-7] }, text: 'é' },
};

export const TRIAL_ID = 'RNssq';

/** Whose metrics {@link metricOf} makes. */
export const SOURCE = { parameterId: 2, trialJobId: TRIAL_ID };

/** An intermediate metric of {@link TRIAL_ID}. */
export function metricOf(sequence: number, changes: Partial<Metric> = {}): Metric {
  return {
    parameter_id: SOURCE.parameterId,
    trial_job_id: SOURCE.trialJobId,
    type: 'PERIODICAL',
    sequence,
    value: '{"default": 0.5}',
    ...changes,
  };
}

/** The report that a metric tells of; the final one follows three epochs. */
export function reportOf(metric: Metric): HistoryEntry {
  return fromWire(metric, { time: '2026-01-02T03:04:05.000Z', lastEpoch: 3 });
}

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    log: (level, message) => {
      lines.push(`${level} ${message}`);
    },
  };
}
