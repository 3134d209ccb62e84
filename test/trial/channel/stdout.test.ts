import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Metric } from '../../../src/generated/nni-message.ts';
import type { LineWriter } from '../../../src/trial/channel/stdout.ts';
import { systemTimers as timers } from '../../../src/cli/system.ts';
import { StdoutChannel } from '../../../src/trial/channel/stdout.ts';
import { testChannelContract } from '../../contract/channel.ts';
import { metricOf } from '../../support/nni.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-stdout-'));
after(() => rm(root, { recursive: true }));

function recorder(): LineWriter & { readonly writes: string[] } {
  const writes: string[] = [];
  return {
    writes,
    write: (text, done) => {
      writes.push(text);
      done();
    },
  };
}

/** The three patterns that NNI's runner, its reuse manager and its Kubernetes manager search for. */
const PATTERNS = [/NNISDK_MEb'.*'$/gm, /NNISDK_MEb'(.*a?)'$/gm, /NNISDK_MEb'(.*?)'/gm];

testChannelContract('stdout', async (record) => {
  const systemDirectory = await mkdtemp(join(root, 'trial-'));
  await writeFile(join(systemDirectory, 'parameter.cfg'), record);
  const output = recorder();
  const found = (): Promise<Metric[]> => {
    const matches = [...output.writes.join('').matchAll(PATTERNS[2]!)];
    return Promise.resolve(matches.map((match) => JSON.parse(match[1]!) as Metric));
  };
  return {
    channel: new StdoutChannel({ systemDirectory, timers }, output),
    received: found,
    dispose: () => rm(systemDirectory, { recursive: true }),
  };
});

describe('StdoutChannel', () => {
  const value = `{"default": 0.5, "s": "it's # / é"}`;

  it('writes one line in one write, byte for byte', async () => {
    const output = recorder();
    await new StdoutChannel({ systemDirectory: root, timers }, output).sendMetric(
      metricOf(0, { value }),
    );
    assert.deepEqual(output.writes, [
      '\nNNISDK_MEb\'{"parameter_id":2,"trial_job_id":"RNssq","type":"PERIODICAL","sequence":0,' +
        '"value":"{\\"default\\": 0.5, \\"s\\": \\"it\\u0027s \\u0023 \\u002f \\u00e9\\"}"}\'\n',
    ]);
  });

  it('is found by every reader of NNI, even after an unfinished line', async () => {
    const output = recorder();
    const channel = new StdoutChannel({ systemDirectory: root, timers }, output);
    const metrics = [metricOf(0, { value }), metricOf(1, { value })];
    for (const metric of metrics) {
      output.writes.push('progress 50 %');
      await channel.sendMetric(metric);
    }
    for (const pattern of PATTERNS) {
      const lines = output.writes.join('').match(pattern)!;
      const found = lines.map((line) => JSON.parse(line.slice(11, -1)) as Metric);
      assert.deepEqual(found, metrics);
    }
  });

  it('fails when the output is gone', async () => {
    const broken: LineWriter = {
      write: (_, done) => {
        done(new Error('EPIPE'));
      },
    };
    const channel = new StdoutChannel({ systemDirectory: root, timers }, broken);
    await assert.rejects(channel.sendMetric(metricOf(0)), {
      code: 'CHANNEL_FAILED',
      message: /EPIPE/,
    });
  });
});
