import type { Timers } from '../../foundation/timers.ts';
import type { ParameterRecord } from './channel.ts';
import { asObject, parseJson, parseParameterRecord } from './channel.ts';
import { exchange } from './http-exchange.ts';

/** Where and how patiently to look. */
export interface OwnRecordLookup {
  readonly url: string;
  /** Milliseconds between two looks while the manager has not stored the trial yet. */
  readonly intervalMs: number;
  readonly attempts: number;
  readonly signal: AbortSignal;
  readonly timers: Timers;
}

/**
 * Address of what NNI's database holds of a trial. It stands beside the channel only where the
 * manager itself serves the channel, which is on platform `local`.
 *
 * @param channelUrl - `http://host:port/[prefix/]env/<environment>/<trial>`.
 */
export function trialJobUrl(channelUrl: string, trialJobId: string): string {
  return databaseUrl(channelUrl, `trial-jobs/${trialJobId}`);
}

/** The same of the metrics that NNI's database holds of a trial. */
export function metricDataUrl(channelUrl: string, trialJobId: string): string {
  return databaseUrl(channelUrl, `metric-data/${trialJobId}`);
}

function databaseUrl(channelUrl: string, path: string): string {
  return `${channelUrl.slice(0, channelUrl.lastIndexOf('/env/'))}/api/v1/nni/${path}`;
}

/**
 * The record that NNI's database and web UI show for this trial. NNI 3.0 hands the records of all
 * trials out of one queue to whoever asks first, so that concurrent trials get each other's.
 *
 * @returns null when the manager does not tell.
 * @throws AbortError when the signal fires.
 */
export async function findOwnRecord(lookup: OwnRecordLookup): Promise<ParameterRecord | null> {
  const { url, intervalMs, attempts, signal, timers } = lookup;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await timers.sleep(intervalMs, { signal });
    const reply = await exchange({ method: 'GET', url, signal }).catch(() => null);
    signal.throwIfAborted();
    if (reply?.status !== 200) return null;
    if (reply.body === '') continue; // not stored yet
    if (!reply.isJson) return null;
    const record = recordOfJob(reply.body, url);
    if (record !== null) return record;
  }
  return null;
}

function recordOfJob(text: string, url: string): ParameterRecord | null {
  const records = asObject(parseJson(text, url))?.['hyperParameters'];
  const first: unknown = Array.isArray(records) ? records[0] : undefined;
  return typeof first === 'string' ? parseParameterRecord(first, url) : null;
}
