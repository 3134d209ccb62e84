import { TrialError } from '../foundation/errors.ts';
import { exists } from '../foundation/files.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Timers } from '../foundation/timers.ts';
import { STANDALONE } from '../foundation/trial-identity.ts';
import { History } from '../run-folder/history.ts';
import { acquireLock } from '../run-folder/lock.ts';
import type { TrialChannel } from './channel/channel.ts';
import { HttpChannel } from './channel/http.ts';
import { metricDataUrl } from './channel/own-record.ts';
import { type MetricSource, openOutbox, type OutboxPatience, readUndelivered } from './outbox.ts';

/** The folder whose metrics are sent, and the target. */
export interface ReplayOptions {
  /** The output folder of a search. */
  readonly folder: string;
  /** Base of the web UI's address, such as `http://localhost:8080`, or the trial's channel. */
  readonly url: string;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly now: () => Date;
  /** Time limit for NNI to take the metrics, milliseconds. */
  readonly limitMs?: number;
  readonly patience?: OutboxPatience;
}

const LIMIT_MS = 30_000;

/**
 * Sends undelivered metrics when NNI's manager runs again. Only NNI's database proves their arrival:
 * NNI answers 200 to metrics of a trial that it no longer tracks, and drops them.
 *
 * @returns The number of metrics that were waiting; NNI has all of them now.
 * @throws TrialError METRICS_UNDELIVERED, FOLDER_IN_USE, FILE_UNREADABLE when there is no such
 * folder, USAGE when the channel is another trial's.
 */
export async function replay(options: ReplayOptions): Promise<number> {
  const { folder } = options;
  // Locking would create it.
  if (!(await exists(folder))) throw missing(folder);
  const lock = await acquireLock(folder, { command: `replay of ${folder}`, time: options.now() });
  try {
    const waiting = await readUndelivered(folder);
    // NNI expects no reports of a search that ran without it.
    const first = waiting.find(({ metric }) => metric.trial_job_id !== STANDALONE);
    if (first === undefined) return 0;
    const { trial_job_id: trialJobId, parameter_id: parameterId } = first.metric;
    await deliver(options, { trialJobId, parameterId });
    return waiting.length;
  } finally {
    await lock.release();
  }
}

async function deliver(options: ReplayOptions, source: MetricSource): Promise<void> {
  const { folder, limitMs = LIMIT_MS } = options;
  const channel = channelTo(options, source.trialJobId);
  const history = await History.open(folder);
  const outbox = await openOutbox({ ...options, ...source, history, channel });
  try {
    const left = await outbox.flush(limitMs);
    if (left > 0) throw undelivered(options, `${left} that it did not take`);
    const lost = await outbox.verify();
    if (lost > 0) {
      const found = `${lost} that it answered for and does not have`;
      throw undelivered(options, `${found}: it drops those of a trial that has ended`);
    }
  } finally {
    await outbox.close();
  }
}

function channelTo({ url, logger, timers }: ReplayOptions, trialJobId: string): TrialChannel {
  const base = url.replace(/\/+$/, '');
  const channelUrl = base.includes('/env/') ? base : `${base}/env/local-env/${trialJobId}`;
  // NNI ends an experiment if a trial's channel carries another trial's metric.
  if (!channelUrl.startsWith('http://') || !channelUrl.endsWith(`/${trialJobId}`)) {
    throw new TrialError('USAGE', {
      where: '--url',
      wanted: `http://host:port of NNI's web UI, or the channel of trial ${trialJobId}`,
      found: url,
      next: "Take the address of the experiment's web UI.",
    });
  }
  return new HttpChannel({
    url: channelUrl,
    trialJobUrl: null,
    metricDataUrl: metricDataUrl(channelUrl, trialJobId),
    logger,
    timers,
  });
}

function missing(folder: string): TrialError {
  return new TrialError('FILE_UNREADABLE', {
    where: folder,
    wanted: 'the output folder of a search',
    found: 'nothing',
    next: 'Name the folder that holds undelivered-metrics.jsonl.',
  });
}

function undelivered({ folder, url }: ReplayOptions, found: string): TrialError {
  return new TrialError('METRICS_UNDELIVERED', {
    where: url,
    wanted: 'NNI to have all metrics of the search',
    found,
    next: `Resume the experiment (nnictl resume): the trial then delivers them; they stay in ${folder}.`,
  });
}
