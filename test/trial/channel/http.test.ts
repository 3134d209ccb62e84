import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Ajv } from 'ajv';
import schema from '../../../schemas/nni-message.schema.json' with { type: 'json' };
import { systemTimers } from '../../../src/cli/system.ts';
import type { Metric } from '../../../src/generated/nni-message.ts';
import type { HttpChannelOptions, HttpPatience } from '../../../src/trial/channel/http.ts';
import { HttpChannel } from '../../../src/trial/channel/http.ts';
import { trialJobUrl } from '../../../src/trial/channel/own-record.ts';
import { testChannelContract } from '../../contract/channel.ts';
import { FakeManager, HTML, trialJob } from '../../support/fake-manager.ts';
import { metricOf, RECORD, RECORD_TEXT, recordingLogger, TRIAL_ID } from '../../support/nni.ts';

const PATIENCE: HttpPatience = {
  parametersMs: 2000,
  metricMs: 2000,
  retryDelaysMs: [1, 2, 4],
  lookupIntervalMs: 1,
  lookupAttempts: 5,
};
const SENDS_PER_REQUEST = PATIENCE.retryDelaysMs.length + 1;
const FAILED = { code: 'CHANNEL_FAILED' };
const CLOSED = { code: 'CHANNEL_CLOSED' };
const OWN_TEXT = '{"parameter_id": 9, "parameters": {"seed": 9}}';
const OWN = { parameterId: 9, parameters: { seed: 9 } };

let manager: FakeManager;
const logger = recordingLogger();

/** A channel whose manager has no database that can be asked. */
function channelOf(url: string): HttpChannelOptions {
  const timers = systemTimers;
  return { url, trialJobUrl: null, metricDataUrl: null, logger, timers, patience: PATIENCE };
}

function openChannel(patience: Partial<HttpPatience> = {}, looksUp = false): HttpChannel {
  const url = manager.urlOf(TRIAL_ID);
  return new HttpChannel({
    ...channelOf(url),
    trialJobUrl: looksUp ? trialJobUrl(url, TRIAL_ID) : null,
    patience: { ...PATIENCE, ...patience },
  });
}

beforeEach(async () => {
  manager = await FakeManager.start();
  manager.records.push(RECORD_TEXT);
  logger.lines.length = 0;
});
afterEach(() => manager.stop());

testChannelContract('http', async (record) => {
  const peer = await FakeManager.start();
  peer.records.push(record);
  const channel = new HttpChannel(channelOf(peer.urlOf(TRIAL_ID)));
  const dispose = async (): Promise<void> => {
    await channel.close();
    await peer.stop();
  };
  const received = (): Promise<Metric[]> =>
    Promise.resolve(peer.metrics.map((text) => JSON.parse(text) as Metric));
  return { channel, received, dispose };
});

describe('HttpChannel, parameters', () => {
  it('sends one request_parameter as JSON, byte for byte', async () => {
    const channel = openChannel();
    await channel.receiveParameters();
    await channel.receiveParameters();
    const puts = manager.seen.filter(({ method }) => method === 'PUT');
    assert.deepEqual(puts, [
      {
        method: 'PUT',
        path: '/env/local-env/RNssq',
        contentType: 'application/json',
        body: '{"type":"request_parameter"}',
      },
    ]);
  });

  it('asks again at once after 408', async () => {
    manager.fail('GET', ...Array<{ status: number }>(5).fill({ status: 408 }));
    assert.deepEqual(await openChannel().receiveParameters(), RECORD);
    assert.equal(manager.countOf('GET'), 6);
  });

  it('is closed by 410', async () => {
    manager.fail('GET', { status: 410, type: 'text/plain', body: 'Gone' });
    await assert.rejects(openChannel().receiveParameters(), CLOSED);
    manager.fail('PUT', { status: 410 });
    await assert.rejects(openChannel().receiveParameters(), CLOSED);
  });

  it('fails on the web UI page that a wrong path gets', async () => {
    manager.fail('GET', HTML);
    await assert.rejects(openChannel().receiveParameters(), {
      ...FAILED,
      message: /a command in JSON.*<!doctype html>/,
    });
  });

  it('fails on another command and on text that is no JSON', async () => {
    for (const body of ['{"type":"metric","metric":""}', '{"type":"parameter"}', '{"type']) {
      manager.fail('GET', { status: 200, body });
      await assert.rejects(openChannel().receiveParameters(), FAILED);
    }
  });

  it('outlives some answers of 5xx and broken connections', async () => {
    manager.fail('GET', { status: 503 }, 'reset', { status: 500 });
    assert.deepEqual(await openChannel().receiveParameters(), RECORD);
    assert.equal(manager.countOf('PUT'), 1);
  });

  it('gives up after a bounded number of them', async () => {
    manager.fail('GET', ...Array<{ status: number }>(9).fill({ status: 503 }));
    await assert.rejects(openChannel().receiveParameters(), { ...FAILED, message: /status 503/ });
    assert.equal(manager.countOf('GET'), SENDS_PER_REQUEST);
  });

  it('gives up at its deadline when nothing is queued, or nobody answers', async () => {
    manager.records.length = 0;
    const impatient = { parametersMs: 50 };
    const message = /none in 50 ms/;
    await assert.rejects(openChannel(impatient).receiveParameters(), { ...FAILED, message });
    manager.fail('PUT', 'hang');
    await assert.rejects(openChannel(impatient).receiveParameters(), { ...FAILED, message });
  });

  it('rejects with CHANNEL_CLOSED when it is closed while it waits', async () => {
    manager.fail('GET', 'hang');
    const channel = openChannel();
    const waiting = assert.rejects(channel.receiveParameters(), CLOSED);
    await channel.close();
    await waiting;
    await assert.rejects(channel.sendMetric(metricOf(0)), CLOSED);
  });

  it('reaches a manager that starts to listen late, and asks it once', async () => {
    const url = manager.urlOf(TRIAL_ID);
    const { port } = manager;
    await manager.stop();
    const patience = { ...PATIENCE, retryDelaysMs: Array<number>(100).fill(20) };
    const channel = new HttpChannel({ ...channelOf(url), patience });
    const received = channel.receiveParameters();
    await new Promise((resolve) => setTimeout(resolve, 30));
    manager = await FakeManager.start('', port);
    manager.records.push(RECORD_TEXT);
    assert.deepEqual(await received, RECORD);
    assert.equal(manager.countOf('PUT'), 1);
  });

  it('names the refusal when nobody listens, on either address of localhost', async () => {
    const url = `http://localhost:${manager.port}/env/local-env/x`;
    await manager.stop();
    const channel = new HttpChannel(channelOf(url));
    await assert.rejects(channel.receiveParameters(), { ...FAILED, message: /ECONNREFUSED/ });
    manager = await FakeManager.start();
  });
});

describe('HttpChannel, own record', () => {
  it('lies beside the channel, below the same URL prefix', async () => {
    const prefix = '/abc/def/env/x';
    const prefixed = await FakeManager.start(prefix);
    prefixed.records.push(RECORD_TEXT);
    prefixed.trialJobs.set(TRIAL_ID, [trialJob(OWN_TEXT)]);
    const url = prefixed.urlOf(TRIAL_ID);
    const ownUrl = trialJobUrl(url, TRIAL_ID);
    const channel = new HttpChannel({ ...channelOf(url), trialJobUrl: ownUrl });
    assert.deepEqual(await channel.receiveParameters(), OWN);
    assert.deepEqual(
      prefixed.seen.map(({ method, path }) => `${method} ${path}`),
      [
        `PUT ${prefix}/env/local-env/RNssq`,
        `GET ${prefix}/env/local-env/RNssq`,
        `GET ${prefix}/api/v1/nni/trial-jobs/RNssq`,
      ],
    );
    await prefixed.stop();
  });

  it('is used by each of two trials that were handed each other’s', async () => {
    const texts = [OWN_TEXT, RECORD_TEXT];
    manager.records.splice(0, 1, ...texts);
    const ids = ['other', TRIAL_ID];
    ids.forEach((id, i) => manager.trialJobs.set(id, [trialJob(texts[1 - i]!)]));
    const received = [];
    for (const id of ids) {
      const url = manager.urlOf(id);
      const channel = new HttpChannel({ ...channelOf(url), trialJobUrl: trialJobUrl(url, id) });
      received.push(await channel.receiveParameters());
    }
    assert.deepEqual(received, [RECORD, OWN]);
    assert.deepEqual(logger.lines, [
      "info used this trial's own record 2; NNI sent that of 9",
      "info used this trial's own record 9; NNI sent that of 2",
    ]);
  });

  it('is waited for while the database does not have it yet', async () => {
    manager.records[0] = OWN_TEXT;
    manager.trialJobs.set(TRIAL_ID, ['', '{"trialJobId":"x"}', trialJob(OWN_TEXT)]);
    assert.deepEqual(await openChannel({}, true).receiveParameters(), OWN);
    assert.deepEqual(logger.lines, []);
  });

  it('gives way to the channel’s, with a warning, where it is not told', async () => {
    const never = Array<{ status: number }>(PATIENCE.lookupAttempts).fill({ status: 200 });
    for (const faults of [[{ status: 404 }], [HTML], ['reset' as const], never]) {
      manager.records.splice(0, Infinity, RECORD_TEXT);
      manager.fail('trial-jobs', ...faults);
      assert.deepEqual(await openChannel({}, true).receiveParameters(), RECORD);
      assert.match(logger.lines.pop()!, /^warning .*does not tell this trial's parameters/);
    }
  });
});

describe('HttpChannel, metrics', () => {
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);

  it('encodes JSON three times, strict at every layer', async () => {
    await openChannel().sendMetric(metricOf(0, { value: '{"default": 0.5}' }));
    const { body } = manager.seen[0]!;
    assert.equal(
      body,
      '{"type":"metric","metric":"{\\"parameter_id\\":2,\\"trial_job_id\\":\\"RNssq\\",' +
        '\\"type\\":\\"PERIODICAL\\",\\"sequence\\":0,\\"value\\":\\"{\\\\\\"default\\\\\\": 0.5}\\"}"}',
    );
    const command: unknown = JSON.parse(body);
    assert.ok(validate(command), JSON.stringify(validate.errors));
    const metric = JSON.parse((command as { metric: string }).metric) as Metric;
    assert.ok(validate(metric), JSON.stringify(validate.errors));
    assert.deepEqual(JSON.parse(metric.value), { default: 0.5 });
  });

  it('surfaces every refusal and sends nothing twice', async () => {
    for (const status of [400, 413, 500, 503]) {
      manager.fail('PUT', { status, type: 'text/html', body: '<pre>no</pre>' });
      const message = new RegExp(`status ${status}`);
      await assert.rejects(openChannel().sendMetric(metricOf(0)), { ...FAILED, message });
    }
    manager.fail('PUT', { status: 410 });
    await assert.rejects(openChannel().sendMetric(metricOf(0)), CLOSED);
    assert.equal(manager.countOf('PUT'), 5);
    assert.deepEqual(manager.metrics, []);
  });

  it('is not repeated when the connection breaks after delivery', async () => {
    manager.fail('PUT', 'reset');
    await assert.rejects(openChannel().sendMetric(metricOf(0)), FAILED);
    assert.equal(manager.metrics.length, 1);
  });

  it('gives up on a manager that does not answer', async () => {
    manager.fail('PUT', 'hang');
    const channel = openChannel({ metricMs: 50 });
    await assert.rejects(channel.sendMetric(metricOf(0)), { ...FAILED, message: /none in 50 ms/ });
  });

  it('delivers between steps of training that are longer than its limit', async (t) => {
    // In a process of its own: this one is blocked.
    const peer = fork('test/support/manager-process.ts', { execArgv: ['--import', 'tsx'] });
    t.after(() => {
      peer.disconnect();
    });
    const [url] = (await once(peer, 'message')) as [string];
    const patience = { ...PATIENCE, metricMs: 100 };
    const channel = new HttpChannel({ ...channelOf(url), patience });
    const steps = (async () => {
      const cell = new Int32Array(new SharedArrayBuffer(4));
      for (let step = 0; step < 10; step++) {
        Atomics.wait(cell, 0, 0, 200);
        await nextTurn();
      }
      return 'trained';
    })();
    const sent = channel.sendMetric(metricOf(0)).then(() => 'sent');
    assert.equal(await Promise.race([steps, sent]), 'sent');
    await steps;
  });

  it('refuses an answer that would fill the memory', async (t) => {
    const piece = Buffer.alloc(2 ** 20);
    const server = createHttpServer((_, response) => {
      for (let i = 0; i < 65; i++) response.write(piece);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const patience = { ...PATIENCE, metricMs: 30_000 };
    const channel = new HttpChannel({ ...channelOf(url), metricDataUrl: url, patience });
    await assert.rejects(channel.receivedMetrics(), { ...FAILED, message: /more than 64 MiB/ });
  });

  it('uses a connection for one request only, so that no idle one can break', async () => {
    const channel = openChannel();
    await channel.sendMetric(metricOf(0));
    await channel.sendMetric(metricOf(1));
    assert.deepEqual(manager.connectionHeaders, ['close', 'close']);
  });

  it('fails on a peer that closes without an answer', async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/env/local-env/x`;
    const channel = new HttpChannel(channelOf(url));
    await assert.rejects(channel.sendMetric(metricOf(0)), FAILED);
    server.close();
  });
});
