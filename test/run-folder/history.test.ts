import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import type { Metrics } from '../../src/foundation/metrics.ts';
import {
  History,
  type HistoryEntry,
  METRICS_FILE,
  readHistory,
} from '../../src/run-folder/history.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-history-'));
after(() => rm(root, { recursive: true }));

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'run-'));
});

const metricsFile = (): string => join(folder, METRICS_FILE);

function epoch(number: number, metrics: Metrics): HistoryEntry {
  const time = new Date(Date.UTC(2026, 0, 2, 3, 4, number)).toISOString();
  return { type: 'epoch', epoch: number, time, metrics, trialJobId: 'aBcDe', parameterId: 7 };
}

async function written(...entries: readonly HistoryEntry[]): Promise<string> {
  const history = await History.open(folder);
  for (const entry of entries) history.add(entry);
  await history.save();
  return readFile(metricsFile(), 'utf8');
}

/** Numbers that a reader with less than full precision changes, of every size. */
const HARD = [
  0.1 + 0.2,
  1 / 3,
  0.6451612903225806,
  123456789012345680,
  2 ** 53 - 1,
  1.7976931348623157e308,
  2.2250738585072014e-308,
  -0,
  -1e-7,
  0.9999999999999999,
];

describe('History', () => {
  it('is one flat object a line, the optimised number first among the numbers', async () => {
    const answer: HistoryEntry = {
      ...epoch(1, { default: 0.5, loss: 1 }),
      type: 'answer',
      parameterId: null,
    };
    const text = await written(epoch(1, { loss: 2, default: 0.25 }), answer);
    assert.equal(
      text,
      '{"type":"epoch","epoch":1,"time":"2026-01-02T03:04:01.000Z","default":0.25,"loss":2.0,"trialJobId":"aBcDe","parameterId":7}\n' +
        '{"type":"answer","epoch":1,"time":"2026-01-02T03:04:01.000Z","default":0.5,"loss":1.0,"trialJobId":"aBcDe","parameterId":null}\n',
    );
  });

  it('is read back as it was, every bit of every number', async () => {
    const entries = HARD.map((value, i) => epoch(i + 1, { default: value, loss: -value }));
    await written(...entries);
    assert.deepEqual(await readHistory(folder), entries);
  });

  it('is a table for pandas, with every bit of every number', async () => {
    const entries = HARD.map((value, i) => epoch(i + 1, { default: value, loss: 1 / (i + 1) }));
    const answer: HistoryEntry = { ...epoch(HARD.length, { default: 1, loss: 2 }), type: 'answer' };
    await written(...entries, answer);
    const script = [
      'import json, sys, pandas',
      'table = pandas.read_json(sys.argv[1], lines=True, precise_float=True)',
      'plain = pandas.read_json(sys.argv[1], lines=True)',
      'print(json.dumps({"columns": list(table.columns), "type": list(table["type"]),',
      '  "epoch": list(map(int, table["epoch"])),',
      '  "bits": [[float(x).hex() for x in table[name]] for name in ("default", "loss")],',
      '  "error": float((plain["default"] / table["default"] - 1).abs().max())}))',
    ].join('\n');
    const python = join(import.meta.dirname, '../../.python/bin/python');
    const table = JSON.parse(
      execFileSync(python, ['-c', script, metricsFile()], { encoding: 'utf8' }),
    ) as Record<string, unknown>;
    const all = [...entries, answer];
    assert.deepEqual(table['columns'], [
      'type',
      'epoch',
      'time',
      'default',
      'loss',
      'trialJobId',
      'parameterId',
    ]);
    assert.deepEqual(
      table['type'],
      all.map(({ type }) => type),
    );
    assert.deepEqual(
      table['epoch'],
      all.map(({ epoch: number }) => number),
    );
    const [accuracies, losses] = table['bits'] as [string[], string[]];
    assert.deepEqual(
      accuracies.map(fromHex),
      all.map(({ metrics }) => metrics.default),
    );
    assert.deepEqual(
      losses.map(fromHex),
      all.map(({ metrics }) => metrics['loss']),
    );
    // Without precise_float pandas itself rounds, which is not seen in a plot.
    assert.ok((table['error'] as number) < 1e-12, String(table['error']));
  });

  it('goes on behind the lines of earlier processes, without one that a kill has torn', async () => {
    const [first, second, third] = [1, 2, 3].map((number) => epoch(number, { default: number }));
    const whole = await written(first!, second!);
    await truncate(metricsFile(), whole.length - 5);
    assert.deepEqual(await readHistory(folder), [first]);
    await written(second!, third!);
    assert.deepEqual(await readHistory(folder), [first, second, third]);
  });

  it('writes nothing where there is nothing new', async () => {
    await written(epoch(1, { default: 1 }));
    const history = await History.open(folder);
    await rm(metricsFile());
    await history.save();
    assert.deepEqual(await readHistory(folder), []);
  });

  it('keeps what a failed save could not write for the next one', async () => {
    const missing = join(folder, 'missing');
    const entry = epoch(1, { default: 1 });
    const history = await History.open(missing);
    history.add(entry);
    await assert.rejects(history.save(), { code: 'FILE_UNWRITABLE' });
    await mkdir(missing);
    await history.save();
    assert.deepEqual(await readHistory(missing), [entry]);
  });

  it('refuses a number that has the name of another field, and records nothing of it', async () => {
    const history = await History.open(folder);
    for (const name of ['type', 'epoch', 'time', 'trialJobId', 'parameterId']) {
      const metrics = { default: 1, [name]: 2 };
      assert.throws(
        () => {
          history.add(epoch(1, metrics));
        },
        { code: 'METRIC_INVALID', message: new RegExp(`found ${name}\\.`) },
      );
    }
    assert.deepEqual(history.entries, []);
  });

  for (const [what, text] of [
    ['is not JSON', '{"type":\n'],
    [
      'has no number to optimise',
      '{"type":"epoch","epoch":1,"time":"","trialJobId":"","parameterId":null}\n',
    ],
    [
      'holds a text for a number',
      '{"type":"epoch","epoch":1,"time":"","default":"1","trialJobId":"","parameterId":null}\n',
    ],
    [
      'holds no finite number',
      '{"type":"epoch","epoch":1,"time":"","default":1e999,"trialJobId":"","parameterId":null}\n',
    ],
    [
      'is a message to NNI',
      '{"parameter_id":7,"trial_job_id":"aBcDe","type":"FINAL","sequence":0,"value":"{}"}\n',
    ],
  ] as const) {
    it(`refuses a file whose line ${what}, and names the way out`, async () => {
      await writeFile(metricsFile(), text);
      await assert.rejects(History.open(folder), {
        code: 'FILE_UNREADABLE',
        message: /metrics\.jsonl: .*--overwrite/,
      });
    });
  }
});

/** The float that Python's `float.hex` wrote. */
function fromHex(text: string): number {
  const match = /^(-?)0x([01])\.([0-9a-f]*)p([+-]\d+)$/.exec(text);
  assert.ok(match, text);
  const [, sign, whole, digits, exponent] = match;
  const mantissa = Number(whole) + parseInt(digits!, 16) / 16 ** digits!.length;
  return (sign === '-' ? -1 : 1) * mantissa * 2 ** Number(exponent);
}
