import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { systemTimers } from '../../../src/cli/system.ts';
import type { Metric } from '../../../src/generated/nni-message.ts';
import type { WebSocketPatience } from '../../../src/trial/channel/websocket.ts';
import { WebSocketChannel } from '../../../src/trial/channel/websocket.ts';
import { testChannelContract } from '../../contract/channel.ts';
import { metricOf, RECORD, RECORD_TEXT, recordingLogger } from '../../support/nni.ts';

const PATIENCE: WebSocketPatience = {
  parametersMs: 2000,
  connectDelaysMs: [0, 1, 2, 3],
  heartbeatMs: 1000,
  closeMs: 2000,
};
const FAILED = { code: 'CHANNEL_FAILED' };
const CLOSED = { code: 'CHANNEL_CLOSED' };
const PARAMETER = JSON.stringify({ type: 'parameter', parameter: RECORD_TEXT });

const logger = recordingLogger();
let server: WebSocketServer;

async function startServer(port = 0): Promise<WebSocketServer> {
  const started = new WebSocketServer({ host: '127.0.0.1', port });
  await once(started, 'listening');
  return started;
}

function portOf(listening: WebSocketServer): number {
  return (listening.address() as AddressInfo).port;
}

function openChannel(patience: Partial<WebSocketPatience> = {}): WebSocketChannel {
  const url = `ws://127.0.0.1:${portOf(server)}/env/local-env/RNssq`;
  return new WebSocketChannel({
    url,
    logger,
    timers: systemTimers,
    patience: { ...PATIENCE, ...patience },
  });
}

async function accept(): Promise<WebSocket> {
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  return socket;
}

async function stopServer(stopped: WebSocketServer): Promise<void> {
  for (const client of stopped.clients) client.terminate();
  stopped.close();
  await once(stopped, 'close');
}

beforeEach(async () => {
  server = await startServer();
  logger.lines.length = 0;
});
afterEach(() => stopServer(server));

testChannelContract('websocket', async (record) => {
  const peer = await startServer();
  const metrics: Metric[] = [];
  peer.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const command = JSON.parse(data.toString()) as { type: string; metric: string };
      if (command.type === 'metric') metrics.push(JSON.parse(command.metric) as Metric);
      if (command.type === 'request_parameter') {
        socket.send(JSON.stringify({ type: 'parameter', parameter: record }));
      }
    });
  });
  const channel = new WebSocketChannel({
    url: `ws://127.0.0.1:${portOf(peer)}`,
    logger,
    timers: systemTimers,
    patience: PATIENCE,
  });
  const dispose = async (): Promise<void> => {
    await channel.close();
    await stopServer(peer);
  };
  const received = async (): Promise<Metric[]> => {
    await channel.close();
    return metrics;
  };
  return { channel, received, dispose };
});

describe('WebSocketChannel', () => {
  it('sends one command a text frame, and a goodbye, byte for byte', async () => {
    const frames: string[] = [];
    server.on('connection', (socket, request) => {
      frames.push(`${request.url!} ${String(request.headers['sec-websocket-protocol'])}`);
      socket.on('message', (data: Buffer, isBinary) => {
        frames.push(`${isBinary ? 'binary' : 'text'} ${data.toString()}`);
        if (frames.length === 2) socket.send(PARAMETER);
      });
      socket.on('close', (code) => frames.push(`close ${code}`));
    });
    const channel = openChannel();
    await channel.receiveParameters();
    await channel.sendMetric(metricOf(0));
    await channel.close();
    assert.deepEqual(frames, [
      '/env/local-env/RNssq undefined',
      'text {"type":"request_parameter"}',
      'text {"type":"metric","metric":"{\\"parameter_id\\":2,\\"trial_job_id\\":\\"RNssq\\",' +
        '\\"type\\":\\"PERIODICAL\\",\\"sequence\\":0,\\"value\\":\\"{\\\\\\"default\\\\\\": 0.5}\\"}"}',
      'text {"type":"_bye_","reason":"trial has ended"}',
      'close 4000',
    ]);
  });

  it('ignores _nop_ and is closed by _bye_', async () => {
    const channel = openChannel();
    const rejected = assert.rejects(channel.receiveParameters(), {
      ...CLOSED,
      message: /shutdown/,
    });
    const socket = await accept();
    socket.send('{"type":"_nop_"}');
    socket.send('{"type":"_bye_","reason":"shutdown"}');
    await rejected;
    await channel.close();
  });

  it('fails on frames that are no commands', async () => {
    for (const frame of ['{"type":', '[]', '{"type":"unknown"}', '{"type":"parameter"}']) {
      const channel = openChannel();
      const rejected = assert.rejects(channel.receiveParameters(), FAILED);
      (await accept()).send(frame);
      await rejected;
      await channel.close();
    }
  });

  it('gives up at its deadline when no parameters come', async () => {
    const channel = openChannel({ parametersMs: 50 });
    await assert.rejects(channel.receiveParameters(), { ...FAILED, message: /none in 50 ms/ });
    await channel.close();
  });

  it('gives up after a bounded number of refused connections', async () => {
    const channel = openChannel();
    await stopServer(server);
    const [asked, sent] = [channel.receiveParameters(), channel.sendMetric(metricOf(0))];
    await assert.rejects(asked, { ...FAILED, message: /ECONNREFUSED/ });
    await assert.rejects(sent, FAILED);
    await assert.rejects(channel.sendMetric(metricOf(0)), FAILED);
    assert.equal(logger.lines.length, PATIENCE.connectDelaysMs.length);
    server = await startServer();
  });

  it('queues while there is no connection and delivers in order after it', async () => {
    const channel = openChannel({ connectDelaysMs: Array<number>(200).fill(20) });
    const port = portOf(server);
    await stopServer(server);
    const sent = Promise.all([0, 1, 2].map((n) => channel.sendMetric(metricOf(n))));
    await new Promise((resolve) => setTimeout(resolve, 30));
    server = await startServer(port);
    const messages = on(await accept(), 'message') as AsyncIterableIterator<[Buffer]>;
    await sent;
    for (const n of [0, 1, 2]) {
      const [data] = (await messages.next()).value as [Buffer];
      const { metric } = JSON.parse(data.toString()) as { metric: string };
      assert.deepEqual(JSON.parse(metric), metricOf(n));
    }
    await channel.close();
  });

  it('connects for as long as it takes once a search is under way', async () => {
    const channel = openChannel();
    const received = channel.receiveParameters();
    const first = await accept();
    first.send(PARAMETER);
    await received;
    const port = portOf(server);
    await stopServer(server);
    const sent = channel.sendMetric(metricOf(0));
    const isRefused = (line: string): boolean => line.includes('ECONNREFUSED');
    const tries = 3 * PATIENCE.connectDelaysMs.length;
    while (logger.lines.filter(isRefused).length < tries) await sleep(1);
    server = await startServer(port);
    const messages = on(await accept(), 'message') as AsyncIterableIterator<[Buffer]>;
    await sent;
    const [data] = (await messages.next()).value as [Buffer];
    const { metric } = JSON.parse(data.toString()) as { metric: string };
    assert.deepEqual(JSON.parse(metric), metricOf(0));
    await channel.close();
  });

  it('asks a silent peer with _nop_ after four missing pongs', async () => {
    await stopServer(server);
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
    await once(server, 'listening');
    const channel = openChannel({ heartbeatMs: 5 });
    const sent = channel.sendMetric(metricOf(0));
    const socket = await accept();
    await sent;
    let pings = 0;
    socket.on('ping', () => pings++);
    const commands: string[] = [];
    while (commands.at(-1) !== '_nop_') {
      const [data] = (await once(socket, 'message')) as [Buffer];
      commands.push((JSON.parse(data.toString()) as { type: string }).type);
    }
    assert.ok(pings >= 3, `${pings} pings`);
    await channel.close();
  });

  it('closes within its limit when the peer does not', async () => {
    const channel = openChannel({ closeMs: 50 });
    const connected = accept();
    await channel.sendMetric(metricOf(0));
    (await connected).pause();
    await channel.close();
    await assert.rejects(channel.sendMetric(metricOf(1)), CLOSED);
  });

  it('closes before it was ever connected', async () => {
    const channel = openChannel({ connectDelaysMs: [1000] });
    const sent = assert.rejects(channel.sendMetric(metricOf(0)), CLOSED);
    await channel.close();
    await sent;
  });

  it('goes on after the peer dropped the connection', async () => {
    const channel = openChannel();
    const received = channel.receiveParameters();
    (await accept()).terminate();
    (await accept()).send(PARAMETER);
    assert.deepEqual(await received, RECORD);
    await channel.close();
  });
});
