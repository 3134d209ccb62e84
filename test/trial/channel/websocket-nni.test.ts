/** Our WebSocket channel against NNI 3.0's own server, out of the Python environment of `npm test`. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Logger } from '../../../src/foundation/logger.ts';
import { systemTimers } from '../../../src/cli/system.ts';
import type { Metric } from '../../../src/generated/nni-message.ts';
import { WebSocketChannel } from '../../../src/trial/channel/websocket.ts';
import { metricOf, RECORD, RECORD_TEXT } from '../../support/nni.ts';

/** What the test tells the server: send, break the connection without a word, close on purpose. */
type Order =
  | { readonly order: 'send'; readonly command: object }
  | { readonly order: 'drop' }
  | { readonly order: 'shutdown' };

/** What the server tells the test. */
type Report =
  | { readonly event: 'listening'; readonly url: string }
  | { readonly event: 'received'; readonly command: { readonly type: string; metric?: string } }
  | { readonly event: 'closed'; readonly reason: string };

const LIBRARIES = join(import.meta.dirname, '../../../.python/lib');
const SCRIPT = join(import.meta.dirname, '../../support/nni-websocket-server.mjs');

const logged = new EventEmitter();
const logger: Logger = { log: (_, message) => void logged.emit('line', message) };
let directory: string;
let server: ChildProcess;
let reports: AsyncIterator<[Report], undefined>;

async function nextReport(): Promise<Report> {
  const { value, done } = await reports.next();
  assert.ok(done !== true, "NNI's server has ended");
  return value[0];
}

async function nextMetric(): Promise<Metric> {
  const report = await nextReport();
  assert.ok(report.event === 'received' && report.command.metric !== undefined);
  return JSON.parse(report.command.metric) as Metric;
}

function tell(order: Order): void {
  server.send(order);
}

/** A channel whose server, as far as it goes, is NNI's. */
async function openChannel(): Promise<WebSocketChannel> {
  const listening = await nextReport();
  assert.ok(listening.event === 'listening');
  return new WebSocketChannel({ url: listening.url, logger, timers: systemTimers });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nni-cream-websocket-'));
  const [version] = readdirSync(LIBRARIES);
  const nniNode = join(LIBRARIES, version!, 'site-packages/nni_node');
  const settings = {
    port: '0',
    'experiment-id': 'websocket',
    action: 'create',
    'experiments-directory': directory,
    'log-level': 'debug',
    'python-interpreter': 'python',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  server = fork(SCRIPT, args, {
    execPath: join(nniNode, 'node'),
    execArgv: [],
    env: { ...process.env, NODE_PATH: `${nniNode}:${join(nniNode, 'node_modules')}` },
  });
  reports = on(server, 'message', { close: ['exit'] }) as AsyncIterator<[Report], undefined>;
});

afterEach(async () => {
  if (server.kill()) await once(server, 'exit');
  await rm(directory, { recursive: true });
});

describe('WebSocketChannel with NNI’s own server', () => {
  it('exchanges parameters and metrics, then says goodbye', { timeout: 30_000 }, async () => {
    const channel = await openChannel();
    const received = channel.receiveParameters();
    assert.deepEqual(await nextReport(), {
      event: 'received',
      command: { type: 'request_parameter' },
    });
    tell({ order: 'send', command: { type: 'parameter', parameter: RECORD_TEXT } });
    assert.deepEqual(await received, RECORD);
    await channel.sendMetric(metricOf(0));
    assert.deepEqual(await nextMetric(), metricOf(0));
    await channel.close();
    assert.deepEqual(await nextReport(), { event: 'closed', reason: 'trial has ended' });
  });

  it(
    'connects again after a drop and delivers what was sent meanwhile',
    { timeout: 30_000 },
    async () => {
      const channel = await openChannel();
      await channel.sendMetric(metricOf(0));
      await nextReport();
      tell({ order: 'drop' });
      assert.match(String(await once(logged, 'line')), /was lost: connecting again/);
      await channel.sendMetric(metricOf(1));
      await channel.sendMetric(metricOf(2));
      assert.deepEqual([await nextMetric(), await nextMetric()], [metricOf(1), metricOf(2)]);
      await channel.close();
    },
  );

  it('is closed when NNI shuts down', { timeout: 30_000 }, async () => {
    const channel = await openChannel();
    const received = assert.rejects(channel.receiveParameters(), {
      code: 'CHANNEL_CLOSED',
      message: /shutdown/,
    });
    await nextReport();
    tell({ order: 'shutdown' });
    await received;
    await assert.rejects(channel.sendMetric(metricOf(0)), { code: 'CHANNEL_CLOSED' });
    await channel.close();
  });
});
