import { TrialError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import { metricKey, type TrialChannel } from './channel/channel.ts';
import { HttpChannel } from './channel/http.ts';
import { metricDataUrl } from './channel/own-record.ts';
import { acquireLock } from './lock.ts';
import { openOutbox, readUndelivered, type OutboxPatience, type Undelivered } from './outbox.ts';

/** What is sent again, and where to. */
export interface ReplayOptions {
  /** The output folder of a search. */
  readonly folder: string;
  /** Base of the web UI's address, such as `http://localhost:8080`, or the trial's channel. */
  readonly url: string;
  readonly logger: Logger;
  readonly now: () => Date;
  /** How long NNI has to take the metrics, milliseconds. */
  readonly limitMs?: number;
  readonly patience?: OutboxPatience;
}

const LIMIT_MS = 30_000;

/**
 * Sends what a search could not deliver, now that NNI's manager runs again. Only NNI's database says
 * that metrics have arrived: NNI answers 200 to those of a trial that it does not track any more, and
 * drops them.
 *
 * @returns The number of metrics that NNI did not have and has now.
 * @throws TrialError METRICS_UNDELIVERED, FOLDER_IN_USE
 */
export async function replay(options: ReplayOptions): Promise<number> {
  const { folder, logger, limitMs = LIMIT_MS, patience } = options;
  const waiting = await readUndelivered(folder);
  const [first] = waiting;
  if (first === undefined) return 0;
  const lock = await acquireLock(folder, { command: `replay of ${folder}`, time: options.now() });
  const channel = channelTo(options, first);
  const outbox = await openOutbox({ folder, channel, logger, patience });
  try {
    const left = await outbox.flush(limitMs);
    if (left > 0) throw undelivered(options, `${left} that it did not take`);
    const lost = await droppedOf(waiting, channel);
    if (lost.length > 0) {
      await outbox.restore(lost);
      throw undelivered(
        options,
        `${lost.length} that it took and dropped: it does not track the trial`,
      );
    }
    return waiting.length;
  } finally {
    await outbox.close();
    await channel.close();
    await lock.release();
  }
}

function channelTo({ url, logger }: ReplayOptions, { metric }: Undelivered): TrialChannel {
  const { trial_job_id: id } = metric;
  const isChannel = url.includes('/env/');
  const channelUrl = isChannel ? url : `${url.replace(/\/+$/, '')}/env/local-env/${id}`;
  return new HttpChannel({
    url: channelUrl,
    trialJobUrl: null,
    metricDataUrl: metricDataUrl(channelUrl, id),
    logger,
  });
}

/** Those that NNI's database does not hold; none where it cannot be asked. */
async function droppedOf(
  waiting: readonly Undelivered[],
  channel: TrialChannel,
): Promise<Undelivered[]> {
  const keys = waiting.map(({ metric }) => metricKey(metric));
  const received = await channel.receivedMetrics(keys);
  if (received === null) return [];
  return waiting.filter(({ metric }) => !received.has(metricKey(metric)));
}

function undelivered({ folder, url }: ReplayOptions, found: string): TrialError {
  return new TrialError('METRICS_UNDELIVERED', {
    where: url,
    wanted: 'NNI to have all metrics of the search',
    found,
    next: `Resume the experiment (nnictl resume) and try again; they stay in ${folder}.`,
  });
}
