import { TrialError } from '../foundation/errors.ts';
import type { Metric } from '../generated/nni-message.ts';
import type { Metrics } from '../foundation/metrics.ts';
import { encodeMetricValue } from './channel/encoding.ts';
import type { MetricSource, Outbox } from './outbox.ts';

/**
 * Where metrics go. Both are idempotent: a search that goes on from a checkpoint reports again what
 * was reported after it. They resolve when the metric is safe, not when it has arrived.
 */
export interface Reporter {
  /** @param epoch - Counts from 0 without a gap. */
  intermediate(metrics: Metrics, epoch: number): Promise<void>;
  /** The result. */
  final(metrics: Metrics): Promise<void>;
}

/**
 * Reports to NNI in the only form that its tuners and its web UI take without harm: sequences from 0
 * without a gap, the same keys throughout, finite numbers, one final result. The outbox knows what
 * was reported before.
 *
 * `intermediate` and `final` reject with METRIC_INVALID, nothing being sent, when a number is not
 * finite, or the keys differ from the first report's.
 */
export function createReporter(outbox: Pick<Outbox, 'post'>, source: MetricSource): Reporter {
  let keys: string | undefined;

  const report = async (
    type: Metric['type'],
    sequence: number,
    metrics: Metrics,
  ): Promise<void> => {
    const numbers = finiteNumbers(type, metrics);
    const names = numbers
      .map(([name]) => name)
      .sort()
      .join(', ');
    keys ??= names;
    if (names !== keys) throw invalid(type, `the keys ${keys}`, names, DEFECT);
    await outbox.post({
      parameter_id: source.parameterId,
      trial_job_id: source.trialJobId,
      type,
      sequence,
      value: encodeMetricValue(numbers),
    });
  };

  return {
    intermediate: (metrics, epoch) => report('PERIODICAL', epoch, metrics),
    final: (metrics) => report('FINAL', 0, metrics),
  };
}

const DEFECT = 'This is a defect of the program: please report it.';

/** The numbers by name, `default` first, which is the one that NNI optimises. */
function finiteNumbers(type: Metric['type'], metrics: Metrics): [string, number][] {
  const { default: primary, ...others } = metrics;
  const numbers: [string, unknown][] = [['default', primary], ...Object.entries(others)];
  const isFinite = (entry: [string, unknown]): entry is [string, number] =>
    Number.isFinite(entry[1]);
  if (numbers.every(isFinite)) return numbers;
  const wrong = numbers.filter((entry) => !isFinite(entry));
  const found = wrong.map(([name, value]) => `${name} = ${String(value)}`).join(', ');
  throw invalid(type, 'finite numbers', found, 'Lower lr or metaLr: the search has diverged.');
}

function invalid(type: Metric['type'], wanted: string, found: string, next: string): TrialError {
  return new TrialError('METRIC_INVALID', { where: `${type} metric`, wanted, found, next });
}
