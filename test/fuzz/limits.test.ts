import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrialError, type ErrorCode } from '../../src/foundation/errors.ts';
import { isNestedTooDeeply, MAX_NESTING } from '../../src/foundation/nesting.ts';
import { macsBudget, OPEN_BUDGET } from '../../src/searchspace/budget.ts';
import { feasibility } from '../../src/searchspace/feasibility.ts';
import { fullSpace, parseNasSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import { spaceSize } from '../../src/searchspace/path.ts';
import { parseTrialConfig } from '../../src/tasks/config.ts';
import { parseDocument, readText } from '../../src/foundation/documents.ts';
import { shippedSkeleton } from '../support/spaces.ts';

const macro = shippedSkeleton('nas-bench-macro');

function isRefusal(code: ErrorCode, part = ''): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof TrialError, String(thrown));
    assert.equal(thrown.code, code);
    assert.ok(thrown.message.includes(part), thrown.message);
    assert.ok(thrown.message.length < 20_000, `${thrown.message.length} characters`);
    return true;
  };
}

function refusesText(text: string, part: string): void {
  const parse = () => parseDocument(text, 'file', 'CONFIG_INVALID');
  assert.throws(parse, isRefusal('CONFIG_INVALID', part));
}

describe('documents', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'limits-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('have at most 16 Mi characters', async () => {
    refusesText(`"${'x'.repeat(2 ** 24)}"`, 'more than 16777216 characters');
    const file = join(folder, 'long');
    await writeFile(file, '');
    await truncate(file, 2 ** 24 + 1);
    await assert.rejects(readText(file), isRefusal('FILE_UNREADABLE', 'characters'));
  });

  it('are files: a pipe that nobody writes to, a device and a folder are refused at once', async () => {
    const pipe = join(folder, 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    for (const file of [pipe, '/dev/zero']) {
      await assert.rejects(readText(file), isRefusal('FILE_UNREADABLE', 'a pipe or a device'));
    }
    await assert.rejects(readText(folder), isRefusal('FILE_UNREADABLE', 'a folder'));
  });

  it('that are none are never quoted at length', () => {
    const secret = 'secret'.repeat(100);
    for (const text of [`|${secret}`, `a: &${secret} b`, `{"${secret}":1,"${secret}":1}`]) {
      const parse = () => parseDocument(text, 'file', 'CONFIG_INVALID');
      assert.throws(parse, (thrown: unknown) => {
        assert.ok(thrown instanceof TrialError && thrown.message.length < 200, String(thrown));
        return true;
      });
    }
  });

  it('have at most 500,000 tokens', () => {
    refusesText(`[${'[],'.repeat(200_000)}]`, 'more than 500000 tokens');
  });

  it('have at most 64 levels, however these are written', () => {
    assert.ok(parseDocument('['.repeat(60) + ']'.repeat(60), 'file', 'CONFIG_INVALID'));
    const blocks = Array.from({ length: 100 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    for (const text of ['['.repeat(1e6), '{"a":'.repeat(1e5), '- '.repeat(1e5), blocks]) {
      refusesText(text, 'more than 64 levels');
    }
  });

  it('hold no anchors, aliases, tags, second documents or keys that are no text', () => {
    refusesText('a: &a [x]\nb: *a', 'anchor &a');
    refusesText('b: *a', 'alias *a');
    refusesText('a: !!js/function x', 'tag !!js/function');
    refusesText('%YAML 1.1\n--- !!set {a}', 'tag !!set');
    refusesText('a: 1\n---\nb: 2', 'more than one document');
    refusesText('? [a]\n: 1', 'a key that is no text');
    refusesText('1: 1', 'a key that is no text');
    refusesText('{"a": 1, "a": 2}', '"a" twice');
  });

  it('have no second meaning in YAML 1.1', () => {
    const document = parseDocument('%YAML 1.1\n---\na: yes\nb: 0o7', 'file', 'CONFIG_INVALID');
    assert.deepEqual(document, { a: 'yes', b: 7 });
  });

  it('with 50,000 keys are read in time', () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => `"k${i}": 1`);
    const begin = performance.now();
    assert.ok(parseDocument(`{${keys.join(',')}}`, 'file', 'CONFIG_INVALID'));
    assert.ok(performance.now() - begin < 5000);
  });

  it('wrong in 10,000 places give an error of 20', () => {
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 1]));
    const part = 'k18: must be object (found 1); and 9981 more';
    assert.throws(() => parseNasSpace(labels, 'space'), isRefusal('SEARCH_SPACE_INVALID', part));
  });
});

describe('isNestedTooDeeply', () => {
  const nested = (depth: number): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
    return value;
  };

  it('counts objects and lists inside one another', () => {
    assert.equal(isNestedTooDeeply(null), false);
    assert.equal(isNestedTooDeeply(nested(MAX_NESTING)), false);
    assert.equal(isNestedTooDeeply(nested(MAX_NESTING + 1)), true);
    assert.equal(isNestedTooDeeply(nested(100_000)), true);
  });

  it('ends at circles, and looks at what is shared once', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    assert.equal(isNestedTooDeeply(circle), true);
    let shared: unknown = [];
    for (let i = 0; i < 50; i++) shared = [shared, shared];
    assert.equal(isNestedTooDeeply(shared), false);
  });
});

describe('absurd numbers', () => {
  const config = { skeleton: 's', space: 'p', data: { path: 'd' }, epochs: 3, batchSize: 64 };

  it('in a trial config are refused by name', () => {
    const absurd: Readonly<Record<string, number>> = {
      epochs: 1e300,
      batchSize: 1e12,
      imagesPerEpoch: 1e15,
      boardSize: 1e9,
      probeImages: 1e9,
      metaImages: 1e9,
      metaInterval: 1e15,
      warmupEpochs: 1e9,
      rankingImages: 1e15,
      calibrationImages: 1e15,
      baselinePaths: 1e9,
      threads: 1e9,
      lr: Infinity,
    };
    for (const [key, value] of Object.entries(absurd)) {
      const text = JSON.stringify({ ...config, [key]: value }).replace('null', '1e999');
      const parse = () => parseTrialConfig(text, 'trial.yml');
      assert.throws(parse, isRefusal('CONFIG_INVALID', `/${key}: must be`));
    }
    const long = JSON.stringify({ ...config, output: 'x'.repeat(10_000) });
    assert.throws(() => parseTrialConfig(long, 'f'), isRefusal('CONFIG_INVALID', '/output'));
    const cut = JSON.stringify({ ...config, output: 'a\0b' });
    assert.throws(() => parseTrialConfig(cut, 'f'), isRefusal('CONFIG_INVALID', '/output'));
  });

  it('in a skeleton are refused by name', () => {
    const [stage] = macro.stages;
    const [conv, ...head] = macro.head;
    const candidate = { kind: 'inverted-residual', name: 'x', expansion: 1e6, kernel: 3 };
    const absurd = {
      imageSize: 1e9,
      classes: 1e12,
      candidates: [candidate],
      stages: [{ ...stage, width: 1e12 }],
      stem: Array(1e5).fill({ kind: 'pool' }),
      head: [{ ...conv, width: 1e12 }, ...head],
    };
    for (const [key, value] of Object.entries(absurd)) {
      const parse = () => parseSkeleton({ ...macro, [key]: value }, 'net.json');
      assert.throws(parse, isRefusal('SKELETON_INVALID', `/${key}`));
    }
    const stages = [{ ...stage, labels: Array.from({ length: 1e5 }, (_, i) => `l${i}`) }];
    const parse = () => parseSkeleton({ ...macro, stages }, 'net.json');
    assert.throws(parse, isRefusal('SKELETON_INVALID', '/stages/0/labels'));
  });
});

describe('the largest space that the schema allows', () => {
  const space = fullSpace(
    parseSkeleton(
      {
        ...macro,
        family: 'other',
        candidates: Array.from({ length: 100 }, (_, i) => ({
          kind: 'inverted-residual',
          name: `c${i}`,
          expansion: 1 + i / 3,
          kernel: 3,
        })),
        stages: Array.from({ length: 32 }, (_, s) => ({
          labels: Array.from({ length: 32 }, (__, i) => `s${s}_i${i}`),
          width: 64 + 8 * s,
          stride: 1,
        })),
      },
      'net.json',
    ),
  );

  it('has its share inside a budget estimated in bounded time', () => {
    assert.equal(spaceSize(space), 100n ** 1024n);
    const { smallest, largest } = feasibility(space, OPEN_BUDGET);
    const middle = (smallest.macs + largest.macs) / 2;
    const budget = macsBudget(space, { minMacs: 0, maxMacs: middle });
    const begin = performance.now();
    const { share, exact } = feasibility(space, budget);
    assert.ok(performance.now() - begin < 20_000);
    assert.equal(exact, false);
    assert.ok(share > 0 && share < 1);
  });

  it('has its share counted where the networks are more than a number can hold', () => {
    const candidates = [
      { kind: 'inverted-residual', name: 'a', expansion: 1, kernel: 3 },
      { kind: 'inverted-residual', name: 'b', expansion: 2, kernel: 3 },
    ];
    const stages = Array.from({ length: 32 }, (_, s) => ({
      labels: Array.from({ length: 32 }, (__, i) => `s${s}_i${i}`),
      width: 32,
      stride: 1,
    }));
    const even = { ...macro, family: 'other', candidates, stages };
    const balanced = fullSpace(parseSkeleton(even, 'net.json'));
    const { smallest, largest } = feasibility(balanced, OPEN_BUDGET);
    const middle = (smallest.macs + largest.macs) / 2;
    const budget = macsBudget(balanced, { minMacs: 0, maxMacs: middle });
    const half = feasibility(balanced, budget);
    assert.equal(half.exact, true);
    assert.ok(Math.abs(half.share - 0.5) < 0.02, String(half.share));
  });
});
