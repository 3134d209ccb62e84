import { EventEmitter, once } from 'node:events';
import { WebSocket } from 'ws';
import { messageOf, type TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Timers } from '../../foundation/timers.ts';
import type {
  ByeCommand,
  Metric,
  MetricCommand,
  NopCommand,
  RequestParameterCommand,
} from '../../generated/nni-message.ts';
import type { ParameterRecord, TrialChannel } from './channel.ts';
import {
  asObject,
  channelClosed,
  channelFailed,
  networkMessage,
  parseJson,
  recordOfCommand,
} from './channel.ts';
import { encodeJson } from './encoding.ts';

/** Time limits and pauses, milliseconds. */
export interface WebSocketPatience {
  /** For the parameters. */
  readonly parametersMs: number;
  /**
   * Pauses before each attempt to connect, the first included. They bound the attempts until the
   * parameters have arrived; afterwards the last pause is repeated without end.
   */
  readonly connectDelaysMs: readonly number[];
  /** Between two pings. */
  readonly heartbeatMs: number;
  /** For the other side to close its end. */
  readonly closeMs: number;
}

const PATIENCE: WebSocketPatience = {
  parametersMs: 60_000,
  connectDelaysMs: [0, 1000, 2000, 3000, 4000, 5000],
  heartbeatMs: 5000,
  closeMs: 1000,
};

/** What a {@link WebSocketChannel} needs. */
export interface WebSocketChannelOptions {
  readonly url: string;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly patience?: WebSocketPatience;
}

const CLOSED_ON_PURPOSE = 4000;
const MISSING_PONGS_ALLOWED = 3;

interface Outgoing {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * NNI's WebSocket channel: one JSON command per text frame. Reconnects after a lost connection and
 * then writes what is pending. The protocol acknowledges nothing: `sendMetric` resolves when the
 * operating system has the frame.
 */
export class WebSocketChannel implements TrialChannel {
  readonly #options: WebSocketChannelOptions;
  readonly #patience: WebSocketPatience;
  readonly #answers = new EventEmitter();
  /** Fires when the channel is closed or has failed; calls reject with its reason. */
  readonly #ended = new AbortController();
  readonly #queue: Outgoing[] = [];
  #socket: WebSocket | null = null;
  #isWriting = false;
  #isStarted = false;
  #hasParameters = false;
  #record: Promise<ParameterRecord> | undefined;

  constructor(options: WebSocketChannelOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
  }

  receiveParameters(): Promise<ParameterRecord> {
    this.#record ??= this.#requestParameters();
    return this.#record;
  }

  sendMetric(metric: Metric): Promise<void> {
    return this.#send({ type: 'metric', metric: encodeJson(metric) });
  }

  receivedMetrics(): Promise<null> {
    return Promise.resolve(null);
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    const reason = 'trial has ended';
    const bye: ByeCommand = { type: '_bye_', reason };
    if (!this.#ended.signal.aborted) socket?.send(encodeJson(bye));
    this.#end(this.#closed('this side has closed it'));
    if (socket === null) return;
    socket.close(CLOSED_ON_PURPOSE, reason);
    const limit = this.#options.timers.timeout(this.#patience.closeMs);
    await once(socket, 'close', { signal: limit }).catch(() => {
      socket.terminate();
    });
  }

  async #requestParameters(): Promise<ParameterRecord> {
    const { parametersMs } = this.#patience;
    const deadline = this.#options.timers.timeout(parametersMs);
    const signal = AbortSignal.any([this.#ended.signal, deadline]);
    try {
      const [[record]] = await Promise.all([
        once(this.#answers, 'parameter', { signal }) as Promise<[ParameterRecord]>,
        this.#send({ type: 'request_parameter' }),
      ]);
      this.#hasParameters = true;
      return record;
    } catch {
      this.#ended.signal.throwIfAborted();
      throw channelFailed(this.#options.url, 'the parameters', `none in ${parametersMs} ms`);
    }
  }

  #send(command: RequestParameterCommand | MetricCommand): Promise<void> {
    if (this.#ended.signal.aborted) return Promise.reject(this.#ended.signal.reason as TrialError);
    const sent = new Promise<void>((resolve, reject) => {
      this.#queue.push({ text: encodeJson(command), resolve, reject });
    });
    if (!this.#isStarted) void this.#keepConnected();
    this.#flush();
    return sent;
  }

  /** Writes the queue in order; unwritten frames stay for the next connection. */
  #flush(): void {
    const [next] = this.#queue;
    if (this.#socket === null || this.#isWriting || next === undefined) return;
    this.#isWriting = true;
    this.#socket.send(next.text, (error) => {
      this.#isWriting = false;
      if (error) return;
      this.#queue.shift();
      next.resolve();
      this.#flush();
    });
  }

  async #keepConnected(): Promise<void> {
    this.#isStarted = true;
    try {
      for (;;) await this.#serve(await this.#connect());
    } catch (error) {
      this.#end(channelFailed(this.#options.url, 'a connection', networkMessage(error), error));
    }
  }

  async #connect(): Promise<WebSocket> {
    const { connectDelaysMs: delays } = this.#patience;
    for (let tries = 0; ; tries++) {
      const delayMs = delays[Math.min(tries, delays.length - 1)] as number;
      await this.#options.timers.sleep(delayMs, { signal: this.#ended.signal });
      const socket = this.#createSocket();
      try {
        await once(socket, 'open', { signal: this.#ended.signal });
        return socket;
      } catch (error) {
        socket.terminate();
        if (!this.#hasParameters && tries + 1 >= delays.length) throw error;
      }
    }
  }

  #createSocket(): WebSocket {
    const { url, logger } = this.#options;
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on('error', (error) => {
      logger.log('warning', `connection to ${url}: ${networkMessage(error)}`);
    });
    socket.on('message', (data: Buffer) => {
      try {
        this.#receive(data.toString('utf8'));
      } catch (error) {
        // A trial with parameters needs no more commands: training goes on.
        if (this.#hasParameters) {
          logger.log('warning', messageOf(error));
          return;
        }
        this.#end(error);
        socket.terminate();
      }
    });
    return socket;
  }

  /** Uses a connection until it ends. */
  async #serve(socket: WebSocket): Promise<void> {
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const stopHeartbeat = this.#startHeartbeat(socket);
    this.#socket = socket;
    this.#flush();
    await closed;
    this.#socket = null;
    stopHeartbeat();
    if (this.#ended.signal.aborted) return;
    const { url, logger } = this.#options;
    logger.log('warning', `connection to ${url} was lost: connecting again`);
  }

  #startHeartbeat(socket: WebSocket): () => void {
    const nop: NopCommand = { type: '_nop_' };
    let missingPongs = 0;
    socket.on('pong', () => {
      missingPongs = 0;
    });
    return this.#options.timers.every(this.#patience.heartbeatMs, () => {
      if (missingPongs > MISSING_PONGS_ALLOWED) {
        socket.send(encodeJson(nop), (error) => {
          if (error) socket.terminate();
          else missingPongs = 0;
        });
      }
      missingPongs++;
      socket.ping();
    });
  }

  /** @throws TrialError CHANNEL_FAILED when the frame is no command that a trial understands. */
  #receive(text: string): void {
    const { url } = this.#options;
    const command = asObject(parseJson(text, url));
    switch (command?.['type']) {
      case '_nop_':
        return;
      case '_bye_':
        this.#end(this.#closed(JSON.stringify(command['reason'])));
        return;
      default:
        this.#answers.emit('parameter', recordOfCommand(command, url));
    }
  }

  #closed(reason: string): TrialError {
    const cutOff = this.#isWriting ? new Error('a frame was being written') : undefined;
    return channelClosed(this.#options.url, reason, cutOff);
  }

  #end(reason: unknown): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort(reason);
    for (const { reject } of this.#queue.splice(0)) reject(reason);
  }
}
