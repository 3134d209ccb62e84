import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { NetworkSkeleton } from '../../src/generated/network-skeleton.ts';
import { canonicalPath, isSameNetwork, networkKey } from '../../src/searchspace/canonical.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { bindSearchSpace, parseNasSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import { pathCode, pathNames, pathOfCode, pathOfNames } from '../../src/searchspace/path.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';
import { creamSpace, readJson, shippedSkeleton, shippedSpace } from '../support/spaces.ts';

const macro = shippedSpace('nas-bench-macro');

function canonicalCode(code: string): string | null {
  return pathCode(macro, canonicalPath(macro, pathOfCode(macro, code, code)));
}

function canonicalNames(space: SearchSpace, text: string): string {
  return pathNames(space, canonicalPath(space, pathOfNames(space, text.split(' '), text))).join(
    ' ',
  );
}

/** What a network computes block by block; blocks that give back their input are left out. */
function stepsOf(space: SearchSpace, path: Path): string {
  const steps = space.choices.flatMap(({ candidates, input, output }, i) => {
    const operation = candidates[path[i] ?? NaN]?.operation;
    const isIdle = operation?.kind === 'identity' && isDeepStrictEqual(input, output);
    return isIdle ? [] : [JSON.stringify([input, operation])];
  });
  return steps.join();
}

/** A space of NAS-Bench-Macro's parts. */
function spaceOf(
  changes: Partial<NetworkSkeleton>,
  own: Readonly<Record<string, readonly string[]>> = {},
): SearchSpace {
  const shipped = shippedSkeleton('nas-bench-macro');
  const skeleton = parseSkeleton({ ...shipped, family: 'other', ...changes }, 'skeleton');
  const names = skeleton.candidates.map(({ name }) => name);
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  const choices = labels.map((label) => {
    return [label, { _type: 'choice', _value: own[label] ?? names }] as const;
  });
  return bindSearchSpace(skeleton, parseNasSpace(Object.fromEntries(choices), 'own'), 'own');
}

describe('the canonical path', () => {
  it('has the identities of a stage at its end', () => {
    assert.equal(canonicalCode('11201001'), '11210010');
    assert.equal(canonicalCode('10002200'), '10020200');
    assert.equal(canonicalCode('22012021'), '22012021');
  });

  it('leaves the first block of a stage alone: its identity is a strided convolution', () => {
    assert.equal(canonicalCode('01011011'), '01011011');
    assert.equal(canonicalCode('00000000'), '00000000');
  });

  it('tells 3,969 networks among the 6,561 paths of NAS-Bench-Macro', () => {
    const keys = new Map<string, string>();
    for (let i = 0; i < 3 ** 8; i++) {
      const path = Array.from(i.toString(3).padStart(8, '0'), Number);
      const [key, steps] = [networkKey(macro, path), stepsOf(macro, path)];
      assert.equal(keys.get(key) ?? steps, steps, 'one key, one network');
      keys.set(key, steps);
    }
    assert.equal(keys.size, 3969);
    assert.equal(new Set(keys.values()).size, 3969, 'one network, one key');
  });

  it('is the one that the table was measured for: its codes are canonical and no two are twins', () => {
    const codes = Object.keys(readJson('test/fixtures/nas-bench-macro-dev400.json') as object);
    for (const code of codes) assert.equal(canonicalCode(code), code);
  });

  it('is itself where there is no identity', () => {
    const space = creamSpace([4, 4, 5, 4, 4]);
    const paths = fc.array(fc.nat(5), { minLength: 21, maxLength: 21 });
    fc.assert(
      fc.property(paths, (path) => {
        assert.deepEqual(canonicalPath(space, path), path);
      }),
    );
  });

  it('may cross from one stage to the next where the shape stays', () => {
    const stages: NetworkSkeleton['stages'] = [
      { labels: ['a', 'b'], width: 64, stride: 2 },
      { labels: ['c', 'd'], width: 64, stride: 1 },
    ];
    const names = canonicalNames(spaceOf({ stages }), 'mb3_k3 identity mb6_k5 mb3_k3');
    assert.equal(names, 'mb3_k3 mb6_k5 mb3_k3 identity');
  });

  it('takes an identity of stride 2 on a map of one pixel for nothing', () => {
    const stages: NetworkSkeleton['stages'] = [
      { labels: ['a'], width: 32, stride: 2 },
      { labels: ['b', 'c', 'd'], width: 32, stride: 2 },
    ];
    const space = spaceOf({ stages, imageSize: 1 });
    const one = pathOfNames(space, ['identity', 'identity', 'identity', 'mb3_k3'], 'one');
    const other = pathOfNames(space, ['identity', 'identity', 'mb3_k3', 'identity'], 'other');
    assert.ok(isSameNetwork(space, one, other));
  });

  it('takes the first of two candidates that are the same operation', () => {
    const block = { kind: 'inverted-residual', expansion: 3, kernel: 3 } as const;
    const candidates: NetworkSkeleton['candidates'] = [
      { ...block, name: 'x' },
      { ...block, name: 'y' },
    ];
    const stages: NetworkSkeleton['stages'] = [{ labels: ['a', 'b'], width: 64, stride: 2 }];
    assert.equal(canonicalNames(spaceOf({ candidates, stages }), 'y x'), 'x x');
  });

  it('refuses a path of another space', () => {
    assert.throws(() => canonicalPath(macro, [0, 0, 0]), RangeError);
    assert.throws(() => canonicalPath(macro, [0, 0, 0, 0, 0, 0, 0, 3]), RangeError);
  });
});

describe('the canonical path of blocks with different candidates', () => {
  const stages: NetworkSkeleton['stages'] = [
    { labels: ['a', 'b', 'c', 'd'], width: 64, stride: 2 },
  ];

  it('moves work only to a block that offers it', () => {
    const space = spaceOf({ stages }, { b: ['identity', 'mb3_k3'] });
    const canonical = (text: string): string => canonicalNames(space, text);
    assert.equal(canonical('mb3_k3 identity identity mb6_k5'), 'mb3_k3 identity mb6_k5 identity');
    assert.equal(canonical('mb3_k3 identity identity mb3_k3'), 'mb3_k3 mb3_k3 identity identity');
  });

  it('empties no block that offers no identity', () => {
    const own = { b: ['identity', 'mb3_k3'], c: ['mb3_k3'], d: ['identity', 'mb6_k5'] };
    const space = spaceOf({ stages }, own);
    for (const text of ['mb3_k3 identity mb3_k3 identity', 'mb3_k3 mb3_k3 mb3_k3 mb6_k5']) {
      assert.equal(canonicalNames(space, text), text);
    }
  });

  it('is one path for every network, whatever the blocks offer', () => {
    const names = ['identity', 'mb3_k3', 'mb6_k5'];
    const offers = fc.array(fc.shuffledSubarray(names, { minLength: 1 }), { minLength: 4, maxLength: 4 }); // prettier-ignore
    const picks = fc.array(fc.nat(5), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(offers, picks, picks, ([a, b, c, d], one, other) => {
        const space = spaceOf({ stages }, { a: a!, b: b!, c: c!, d: d! });
        const pathOf = (pick: readonly number[]): Path =>
          space.choices.map(({ candidates }, i) => pick[i]! % candidates.length);
        const [x, y] = [pathOf(one), pathOf(other)];
        const canonical = canonicalPath(space, x);
        assert.equal(stepsOf(space, canonical), stepsOf(space, x));
        assert.deepEqual(canonicalPath(space, canonical), canonical);
        assert.equal(pathCost(space, canonical).macs, pathCost(space, x).macs);
        assert.equal(isSameNetwork(space, x, y), stepsOf(space, x) === stepsOf(space, y));
      }),
      { numRuns: 500 },
    );
  });
});
