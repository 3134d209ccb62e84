import { TrialError } from '../foundation/errors.ts';
import { metricEntries, type Metrics } from '../foundation/metrics.ts';
import { STANDALONE } from '../foundation/trial-identity.ts';
import type { History, HistoryEntry } from '../run-folder/history.ts';
import type { MetricSource, Outbox } from './outbox.ts';

/**
 * Takes metrics. Both methods are idempotent: a search that resumes from a checkpoint repeats later
 * reports. They resolve when the metric is on the disk, not when it has arrived.
 */
export interface Reporter {
  /** @param epoch - Counts from 0 without a gap. */
  intermediate(metrics: Metrics, epoch: number): Promise<void>;
  /** The result. */
  final(metrics: Metrics): Promise<void>;
}

/** What a reporter needs. */
export interface ReporterOptions {
  readonly outbox: Pick<Outbox, 'post'>;
  /** The outbox's history: what it holds was reported before. */
  readonly history: Pick<History, 'entries' | 'lastEpoch'>;
  readonly source: MetricSource;
  readonly now: () => Date;
}

/**
 * Reports in the only form that NNI's tuners and web UI handle well: epochs without a gap, the same
 * keys throughout, finite numbers, one final result.
 *
 * `intermediate` and `final` reject with METRIC_INVALID, and send nothing, when a number is not finite
 * or the keys differ from those of the run's first report, perhaps by an earlier process.
 */
export function createReporter({ outbox, history, source, now }: ReporterOptions): Reporter {
  const report = async (
    { type, epoch }: Pick<HistoryEntry, 'type' | 'epoch'>,
    metrics: Metrics,
  ): Promise<void> => {
    requireFinite(type, metrics);
    requireSameKeys(type, metrics, firstOfRun(history.entries, source) ?? metrics);
    const { trialJobId, parameterId } = source;
    const time = now().toISOString();
    await outbox.post({ type, epoch, time, metrics, trialJobId, parameterId });
  };
  return {
    intermediate: (metrics, epoch) => report({ type: 'epoch', epoch: epoch + 1 }, { ...metrics }),
    final: (metrics) => report({ type: 'answer', epoch: history.lastEpoch }, { ...metrics }),
  };
}

function requireFinite(type: HistoryEntry['type'], metrics: Metrics): void {
  const wrong = metricEntries(metrics).filter(([, value]) => !Number.isFinite(value));
  if (wrong.length === 0) return;
  const found = wrong.map(([name, value]) => `${name} = ${String(value)}`).join(', ');
  throw invalid(type, {
    wanted: 'finite numbers',
    found,
    next: 'Lower lr or metaLr: the search has diverged.',
  });
}

/** In a copied folder, another trial's reports lie beside those of the run. */
function firstOfRun(
  entries: readonly HistoryEntry[],
  { trialJobId }: MetricSource,
): Metrics | undefined {
  const isOwn = (entry: HistoryEntry): boolean =>
    trialJobId === STANDALONE || entry.trialJobId === trialJobId;
  return entries.find(isOwn)?.metrics;
}

/** NNI's web UI and export assume that all reports have the same keys. */
function requireSameKeys(type: HistoryEntry['type'], metrics: Metrics, first: Metrics): void {
  const [wanted, found] = [first, metrics].map((each) => Object.keys(each).sort().join(', '));
  if (wanted === found) return;
  throw invalid(type, {
    wanted: `the keys of the first report of this run: ${wanted}`,
    found: String(found),
    next: 'Go on with the version of the program that began the run, or start again with --overwrite.',
  });
}

function invalid(
  type: HistoryEntry['type'],
  complaint: { wanted: string; found: string; next: string },
): TrialError {
  return new TrialError('METRIC_INVALID', { where: `metrics of the ${type}`, ...complaint });
}
