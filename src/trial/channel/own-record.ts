import type { Timers } from '../../foundation/timers.ts';
import type { ParameterRecord } from './channel.ts';
import { asObject, parseJson, parseParameterRecord } from './channel.ts';
import { exchange } from './http-exchange.ts';

/** Where to ask, and how often. */
export interface OwnRecordLookup {
  readonly url: string;
  /** Milliseconds between two requests while the manager has not stored the trial yet. */
  readonly intervalMs: number;
  readonly attempts: number;
  readonly signal: AbortSignal;
  readonly timers: Timers;
}

/**
 * Address of a trial in NNI's database. The channel's server offers it only if that is the manager
 * itself, which is so on platform `local`.
 *
 * @param channelUrl - `http://host:port/[prefix/]env/<environment>/<trial>`.
 */
export function trialJobUrl(channelUrl: string, trialJobId: string): string {
  return databaseUrl(channelUrl, `trial-jobs/${trialJobId}`);
}

/** Address of a trial's metrics in NNI's database. */
export function metricDataUrl(channelUrl: string, trialJobId: string): string {
  return databaseUrl(channelUrl, `metric-data/${trialJobId}`);
}

function databaseUrl(channelUrl: string, path: string): string {
  return `${channelUrl.slice(0, channelUrl.lastIndexOf('/env/'))}/api/v1/nni/${path}`;
}

/**
 * The record that NNI's database and web UI show for this trial. NNI 3.0 keeps one queue of records
 * and serves the first that asks, so that concurrent trials get each other's.
 *
 * @returns null when the manager does not answer with one.
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
