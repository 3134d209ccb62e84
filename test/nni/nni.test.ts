import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemTimers } from '../../src/cli/system.ts';
import { createExperiment, freePort, requireFreePort } from '../../src/nni/experiment.ts';
import { followExperiment } from '../../src/nni/follow.ts';
import { connectManager, type Manager } from '../../src/nni/manager.ts';

const FOLDER = '/experiments/abc/environments/local-env/trials/T1';

/** A report in NNI's own triple encoding. */
function report(type: string, sequence: number, accuracy: number): object {
  const values = { default: accuracy, loss: 1, rho: 0.5, boardMean: 0.25, imagesPerSecond: 900.4 };
  return { trialJobId: 'T1', type, sequence, data: JSON.stringify(JSON.stringify(values)) };
}

/** What the manager answers at one poll: status of the experiment and the trial, reports so far. */
type Poll = readonly [status: string, trial: string, reports: readonly object[]];

/** A manager that goes through the polls, one at each request for its status. */
async function serve(t: TestContext, polls: readonly Poll[]): Promise<number> {
  let poll = -1;
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/check-status')) poll++;
    const [status, trial, reports] = polls[poll]!;
    const trialJob = {
      trialJobId: 'T1',
      sequenceId: 0,
      status: trial,
      hyperParameters: ['{"parameter_id": 0, "parameters": {"seed": 2}}'],
      logPath: FOLDER,
    };
    const answers: Record<string, unknown> = {
      '/api/v1/nni/check-status': { status, errors: [] },
      '/api/v1/nni/trial-jobs': [trialJob],
      '/api/v1/nni/metric-data': reports,
    };
    response.end(JSON.stringify(answers[request.url ?? '']));
  });
  await once(server.listen(0), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function managerAt(port: number): Manager {
  return connectManager({ url: `http://127.0.0.1:${port}`, timers: systemTimers });
}

describe('following an experiment', () => {
  it('prints every state and every report once, in order, until the experiment has ended', async (t) => {
    const first = report('PERIODICAL', 0, 0.125);
    const second = report('PERIODICAL', 1, 0.5);
    const final = report('FINAL', 0, 0.5);
    const port = await serve(t, [
      ['RUNNING', 'WAITING', []],
      ['RUNNING', 'RUNNING', [first]],
      ['NO_MORE_TRIAL', 'RUNNING', [first]],
      ['DONE', 'SUCCEEDED', [final, second, first]],
    ]);
    const lines: string[] = [];
    const outcome = await followExperiment(managerAt(port), {
      print: (line) => lines.push(line),
      pollMs: 1,
      timers: systemTimers,
    });
    assert.deepEqual(lines, [
      'trial T1  RUNNING',
      'trial T1  epoch 1  accuracy 0.125  loss 1.000  rho 0.5  boardMean 0.25  imagesPerSecond 900.4',
      'trial T1  epoch 2  accuracy 0.500  loss 1.000  rho 0.5  boardMean 0.25  imagesPerSecond 900.4',
      'trial T1  SUCCEEDED',
    ]);
    const trial = {
      id: 'T1',
      sequence: 0,
      status: 'SUCCEEDED',
      parameters: { seed: 2 },
      folder: FOLDER,
      started: null,
      ended: null,
    };
    assert.deepEqual(outcome, { status: 'DONE', errors: [], trials: [trial] });
  });

  it('says what to do when the manager is gone', async () => {
    const manager = managerAt(await freePort());
    await assert.rejects(manager.status(), {
      code: 'NNI_UNAVAILABLE',
      message: /check-status: .*ECONNREFUSED.*nnictl experiment list/,
    });
  });
});

describe('nnictl create', () => {
  it('is an error with the last line of what it said when it refuses the experiment', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-nnictl-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    mkdirSync(join(folder, 'bin'));
    const script =
      '#!/bin/sh\nprintf "Traceback:\\nValueError: tuner must be set\\n" >&2; exit 1\n';
    writeFileSync(join(folder, 'bin/nnictl'), script, { mode: 0o755 });
    const plan = {
      pythonFolder: folder,
      config: 'x.yml',
      port: await freePort(),
      env: {},
      timers: systemTimers,
    };
    await assert.rejects(createExperiment(plan), {
      code: 'NNI_UNAVAILABLE',
      message: /^nnictl create --config x\.yml .* found ValueError: tuner must be set\./,
    });
  });
});

describe('the port of the web UI', () => {
  it('must be free, and the error names another one that is', async (t) => {
    const port = await serve(t, []);
    let message = '';
    await assert.rejects(requireFreePort(port), (error: Error & { code?: string }) => {
      message = error.message;
      return error.code === 'PORT_IN_USE';
    });
    const other = /npm start -- --port (\d+)/.exec(message)?.[1];
    await requireFreePort(Number(other));
  });
});
