import { TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Timers } from '../../foundation/timers.ts';
import type {
  Metric,
  MetricCommand,
  RequestParameterCommand,
} from '../../generated/nni-message.ts';
import type { ParameterRecord, TrialChannel } from './channel.ts';
import {
  asObject,
  channelClosed,
  channelFailed,
  metricKey,
  networkMessage,
  parseJson,
  recordOfCommand,
} from './channel.ts';
import { startDeadline } from './deadline.ts';
import { encodeJson } from './encoding.ts';
import type { HttpReply } from './http-exchange.ts';
import { exchange, isUnconnected } from './http-exchange.ts';
import { findOwnRecord } from './own-record.ts';

/** Time limits and pauses, milliseconds. */
export interface HttpPatience {
  /** For the parameters, retries included. */
  readonly parametersMs: number;
  /** For the answer to one metric, retries included. */
  readonly metricMs: number;
  /** Pauses before the retries of an undelivered request. */
  readonly retryDelaysMs: readonly number[];
  /** Between two requests for the trial's own record. */
  readonly lookupIntervalMs: number;
  readonly lookupAttempts: number;
}

const PATIENCE: HttpPatience = {
  parametersMs: 60_000,
  metricMs: 30_000,
  retryDelaysMs: [100, 200, 400, 800, 1600],
  lookupIntervalMs: 100,
  lookupAttempts: 50,
};

/** What an {@link HttpChannel} needs. */
export interface HttpChannelOptions {
  readonly url: string;
  /** Address of the trial in NNI's database; null if out of reach. */
  readonly trialJobUrl: string | null;
  /** Address of the trial's metrics; null if out of reach. */
  readonly metricDataUrl: string | null;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly patience?: HttpPatience;
}

const GONE = 410;
const REQUEST_TIMEOUT = 408;

/** Keys of the metrics in NNI's answer; null for any other answer. */
function keysOf({ status, isJson, body }: HttpReply): ReadonlySet<string> | null {
  if (status !== 200 || !isJson) return null;
  const rows: unknown = JSON.parse(body);
  return Array.isArray(rows) ? new Set((rows as Metric[]).map(metricKey)) : null;
}

/**
 * Channel of NNI 3.0: commands are PUT to one URL, and answers are fetched by long polling.
 *
 * Retries an undelivered request, but no PUT that broke later: the manager may have it, and a doubled
 * metric stops NNI's tuners.
 */
export class HttpChannel implements TrialChannel {
  readonly #closing = new AbortController();
  readonly #options: HttpChannelOptions;
  readonly #patience: HttpPatience;
  #record: Promise<ParameterRecord> | undefined;

  constructor(options: HttpChannelOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
  }

  receiveParameters(): Promise<ParameterRecord> {
    this.#record ??= this.#within(this.#patience.parametersMs, (signal) => this.#receive(signal));
    return this.#record;
  }

  sendMetric(metric: Metric): Promise<void> {
    const command: MetricCommand = { type: 'metric', metric: encodeJson(metric) };
    return this.#within(this.#patience.metricMs, (signal) => this.#put(command, signal));
  }

  receivedMetrics(): Promise<ReadonlySet<string> | null> {
    const { metricDataUrl: url } = this.#options;
    if (url === null) return Promise.resolve(null);
    return this.#within(this.#patience.metricMs, async (signal) =>
      keysOf(await exchange({ method: 'GET', url, signal })),
    );
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  async #receive(signal: AbortSignal): Promise<ParameterRecord> {
    const request: RequestParameterCommand = { type: 'request_parameter' };
    await this.#put(request, signal);
    const handed = await this.#poll(signal);
    const { trialJobUrl: url, logger, timers } = this.#options;
    if (url === null) return handed;
    const { lookupIntervalMs: intervalMs, lookupAttempts: attempts } = this.#patience;
    const own = await findOwnRecord({ url, intervalMs, attempts, signal, timers });
    if (own === null) {
      logger.log('warning', `${url} does not tell this trial's parameters: used what NNI sent`);
      return handed;
    }
    if (own.parameterId !== handed.parameterId) {
      const [used, sent] = [own, handed].map(({ parameterId }) => String(parameterId));
      logger.log('info', `used this trial's own record ${used}; NNI sent that of ${sent}`);
    }
    return own;
  }

  async #poll(signal: AbortSignal): Promise<ParameterRecord> {
    const { url } = this.#options;
    for (;;) {
      const reply = await this.#attempt(() => exchange({ method: 'GET', url, signal }), signal);
      if (reply.status !== REQUEST_TIMEOUT) return this.#recordOf(reply);
    }
  }

  #recordOf(reply: HttpReply): ParameterRecord {
    const { url } = this.#options;
    this.#requireSuccess(reply);
    if (!reply.isJson) throw channelFailed(url, 'a command in JSON', reply.body);
    return recordOfCommand(asObject(parseJson(reply.body, url)), url);
  }

  async #put(command: RequestParameterCommand | MetricCommand, signal: AbortSignal): Promise<void> {
    const { url } = this.#options;
    const send = (): Promise<HttpReply> =>
      exchange({ method: 'PUT', url, body: encodeJson(command), signal });
    const reply = await this.#attempt(send, signal, isUnconnected);
    this.#requireSuccess(reply);
  }

  #requireSuccess({ status, body }: HttpReply): void {
    const { url } = this.#options;
    if (status === GONE) throw channelClosed(url, 'the manager has shut it down');
    if (status !== 200) throw channelFailed(url, 'status 200', `status ${status} ${body}`);
  }

  async #attempt(
    send: () => Promise<HttpReply>,
    signal: AbortSignal,
    mayRepeat: (error: unknown) => boolean = () => true,
  ): Promise<HttpReply> {
    for (const delayMs of this.#patience.retryDelaysMs) {
      try {
        return await send();
      } catch (error) {
        if (signal.aborted || !mayRepeat(error)) throw error;
        await this.#options.timers.sleep(delayMs, { signal });
      }
    }
    return send();
  }

  /** Runs a dialogue until its deadline or `close`, and translates its errors. */
  async #within<T>(limitMs: number, dialogue: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { url, timers } = this.#options;
    const { signal: deadline, stop } = startDeadline(limitMs, timers);
    try {
      return await dialogue(AbortSignal.any([this.#closing.signal, deadline]));
    } catch (error) {
      if (error instanceof TrialError) throw error;
      if (this.#closing.signal.aborted) throw channelClosed(url, 'this side has closed it', error);
      const found = deadline.aborted ? `none in ${limitMs} ms` : networkMessage(error);
      throw channelFailed(url, 'an answer', found, error);
    } finally {
      stop();
    }
  }
}
