import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { systemTimers } from '../../src/cli/system.ts';
import { connectManager, type Manager } from '../../src/nni/manager.ts';
import { until } from '../support/command.ts';
import { ManualTimers } from '../support/timers.ts';

const UNAVAILABLE = { code: 'NNI_UNAVAILABLE' };

/** What the server answers, by method and path. */
let answers: Record<string, unknown>;
let seen: string[];
let server: Server;
let base: string;

function answer({ method, url }: IncomingMessage, response: ServerResponse): void {
  const request = `${method} ${url}`;
  seen.push(request);
  const found = answers[request];
  if (found === undefined) response.writeHead(404).end('Not Found');
  else response.end(typeof found === 'string' ? found : JSON.stringify(found));
}

beforeEach(async () => {
  answers = {};
  seen = [];
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const managerAt = (url = base): Manager => connectManager({ url, timers: systemTimers });

/** A report as NNI's database keeps it: JSON text of the text that the trial sent. */
function row(trialJobId: string, type: string, sequence: number, value: unknown): object {
  return { timestamp: 0, trialJobId, parameterId: '0', type, sequence, data: JSON.stringify(JSON.stringify(value)) }; // prettier-ignore
}

describe('connectManager', () => {
  for (const [what, suffix, prefix] of [
    ['as nnictl prints it', '', ''],
    ['with a slash at its end', '/', ''],
    ['with the prefix of the experiment', '/team/a/', '/team/a'],
  ] as const) {
    it(`asks at the address of the web UI ${what}`, async () => {
      answers[`GET ${prefix}/api/v1/nni/check-status`] = { status: 'RUNNING', errors: ['disk'] };
      const manager = managerAt(`${base}${suffix}`);
      assert.deepEqual(seen, [], 'nothing before the first call');
      assert.deepEqual(await manager.status(), { status: 'RUNNING', errors: ['disk'] });
      assert.equal(manager.url, `${base}${prefix}`);
    });
  }

  it('refuses what is no address, before anything is sent', () => {
    for (const url of ['', 'localhost:8080', 'ftp://host', 'http://', 'http://a b']) {
      assert.throws(() => managerAt(url), { code: 'USAGE', message: /http:\/\/host:port/ });
    }
  });

  it('tells which experiment it is, with whatever keys NNI adds', async () => {
    const profile = {
      id: 'x1',
      params: { experimentName: 'a' },
      logDir: '/nni/x1',
      startTime: 5,
      revision: 1,
    };
    answers['GET /api/v1/nni/experiment'] = profile;
    assert.deepEqual(await managerAt().experiment(), profile);
  });

  it('lists trials in the order of submission, also those that have not begun', async () => {
    answers['GET /api/v1/nni/trial-jobs'] = [
      { trialJobId: 'c', sequenceId: 2, status: 'WAITING' },
      { trialJobId: 'd', status: 'WAITING', hyperParameters: [] },
      {
        trialJobId: 'a',
        sequenceId: 0,
        status: 'SUCCEEDED',
        hyperParameters: ['{"parameter_id": 0, "parameters": {"seed": 2}}'],
        logPath: '/out/a',
        startTime: 1000,
        endTime: 2500,
      },
    ];
    const trials = await managerAt().trials();
    assert.deepEqual(
      trials.map(({ id }) => id),
      ['a', 'c', 'd'],
    );
    assert.deepEqual(trials[0], {
      id: 'a',
      sequence: 0,
      status: 'SUCCEEDED',
      parameters: { seed: 2 },
      folder: '/out/a',
      started: new Date(1000),
      ended: new Date(2500),
    });
    const { parameters, folder, started, ended } = trials[1]!;
    assert.deepEqual({ parameters, folder, started, ended }, { parameters: {}, folder: '', started: null, ended: null }); // prettier-ignore
  });

  it('lists reports by trial and in their order, bare numbers of other programs too', async () => {
    answers['GET /api/v1/nni/metric-data'] = [
      row('b', 'FINAL', 0, 0.5),
      row('a', 'FINAL', 0, { default: 0.75, loss: 1 }),
      row('a', 'PERIODICAL', 1, { default: 0.5, loss: 2 }),
      row('a', 'PERIODICAL', 0, { default: 0.25, loss: 3, note: 'text' }),
    ];
    const metrics = await managerAt().metrics();
    assert.deepEqual(
      metrics.map(({ trialId, type, sequence, values }) => [trialId, type, sequence, values]),
      [
        ['a', 'PERIODICAL', 0, { default: 0.25, loss: 3 }],
        ['a', 'PERIODICAL', 1, { default: 0.5, loss: 2 }],
        ['a', 'FINAL', 0, { default: 0.75, loss: 1 }],
        ['b', 'FINAL', 0, { default: 0.5 }],
      ],
    );
  });

  it('gives the text of a file, and none of an empty one for which NNI has a sentence', async () => {
    answers['GET /api/v1/nni/trial-file/a/trial.log'] = 'epoch 1\n';
    answers['GET /api/v1/nni/trial-file/a/stderr'] = 'stderr is empty.';
    answers['GET /api/v1/nni/trial-file/a/..%2Fsecret'] = 'one path segment';
    const manager = managerAt();
    assert.equal(await manager.trialFile('a', 'trial.log'), 'epoch 1\n');
    assert.equal(await manager.trialFile('a', 'stderr'), '');
    assert.equal(await manager.trialFile('a', '../secret'), 'one path segment');
    await assert.rejects(manager.trialFile('a', 'missing'), { ...UNAVAILABLE, message: /status 404/ }); // prettier-ignore
    answers['GET /api/v1/nni/trial-file/a/trial.log'] =
      'NNI internal error. Please check log file.\nError: gone';
    await assert.rejects(manager.trialFile('a', 'trial.log'), { ...UNAVAILABLE, message: /gone/ });
  });

  it('stops a trial', async () => {
    answers['DELETE /api/v1/nni/trial-jobs/a'] = '';
    await managerAt().cancelTrial('a');
    assert.deepEqual(seen, ['DELETE /api/v1/nni/trial-jobs/a']);
  });

  for (const [what, body] of [
    ['the page of another program', '<!doctype html><title>It works</title>'],
    ['JSON of another program', { status: 200 }],
    ['half an answer', '{"status": "RUN'],
  ] as const) {
    it(`takes ${what} for no answer, and says what to do`, async () => {
      answers['GET /api/v1/nni/check-status'] = body;
      await assert.rejects(managerAt().status(), {
        ...UNAVAILABLE,
        message: /^GET http:.*check-status: wanted .* found .*(nnictl|web UI)/,
      });
    });
  }

  it('takes a damaged record for no answer', async () => {
    answers['GET /api/v1/nni/trial-jobs'] = [
      { trialJobId: 'a', sequenceId: 0, status: 'RUNNING', hyperParameters: ['{'] },
    ];
    answers['GET /api/v1/nni/metric-data'] = [{ ...row('a', 'FINAL', 0, 1), data: '"{"' }];
    await assert.rejects(managerAt().trials(), { ...UNAVAILABLE, message: /trial a/ });
    await assert.rejects(managerAt().metrics(), { ...UNAVAILABLE, message: /report of trial a/ });
  });

  it('says what the manager said when it refuses', async () => {
    await assert.rejects(managerAt().experiment(), {
      ...UNAVAILABLE,
      message: /status 404: Not Found.*nnictl experiment list/,
    });
  });

  it('waits no longer than its limit for one that takes the call and does not answer', async () => {
    const timers = new ManualTimers();
    server.removeAllListeners('request');
    server.on('request', ({ url }: IncomingMessage) => seen.push(url!));
    const asked = connectManager({ url: base, timers, timeoutMs: 700 }).status();
    const refused = assert.rejects(asked, { ...UNAVAILABLE, message: /none in 700 ms/ });
    await until(() => seen.length > 0);
    await timers.pass(700);
    await refused;
  });
});
