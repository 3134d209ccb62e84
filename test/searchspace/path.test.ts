import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TrialError } from '../../src/foundation/errors.ts';
import { bindSearchSpace, parseNasSpace } from '../../src/searchspace/parse.ts';
import {
  candidatesOf,
  pathCode,
  pathKey,
  pathOfCode,
  pathOfNames,
  pathSample,
  pathText,
  spaceSize,
} from '../../src/searchspace/path.ts';
import { creamSpace, readJson, shippedSkeleton, shippedSpace } from '../support/spaces.ts';

const macro = shippedSpace('nas-bench-macro');
const PATH = [2, 2, 0, 1, 2, 2, 1, 0];

describe('forms of a path', () => {
  it('are the digits of the benchmark, the names and the labelled sample', () => {
    assert.equal(pathCode(macro, PATH), '22012210');
    assert.equal(
      pathText(macro, PATH),
      'mb6_k5 mb6_k5 identity mb3_k3 mb6_k5 mb6_k5 mb3_k3 identity',
    );
    assert.deepEqual(pathSample(macro, PATH), {
      layer_0: 'mb6_k5',
      layer_1: 'mb6_k5',
      layer_2: 'identity',
      layer_3: 'mb3_k3',
      layer_4: 'mb6_k5',
      layer_5: 'mb6_k5',
      layer_6: 'mb3_k3',
      layer_7: 'identity',
    });
  });

  it('come back to the same path', () => {
    const paths = fc.array(fc.nat(2), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(paths, (path) => {
        assert.deepEqual(pathOfCode(macro, pathCode(macro, path) ?? '', 'code'), path);
        assert.deepEqual(pathOfNames(macro, Object.values(pathSample(macro, path)), 'f'), path);
      }),
    );
  });

  it('have one key a path', () => {
    assert.equal(pathKey(PATH), pathKey([...PATH]));
    assert.notEqual(pathKey([1, 11]), pathKey([11, 1]));
    assert.notEqual(pathKey([1, 11]), pathKey([1, 1, 1]));
  });

  it("keep the skeleton's digits in a space that lists other candidates in another order", () => {
    const file = readJson('nni-config/spaces/nas-bench-macro.json') as object;
    const entry = { _type: 'choice', _value: ['mb6_k5', 'mb3_k3'] };
    const labels = parseNasSpace({ ...file, layer_0: entry }, 'f');
    const space = bindSearchSpace(shippedSkeleton('nas-bench-macro'), labels, 'f');
    assert.equal(pathCode(space, [0, 0, 0, 0, 0, 0, 0, 0]), '20000000');
    assert.deepEqual(pathOfCode(space, '10000000', 'f'), [1, 0, 0, 0, 0, 0, 0, 0]);
    assert.throws(
      () => pathOfCode(space, '00000000', 'f'),
      /label "layer_0": wanted mb6_k5, mb3_k3/,
    );
  });
});

describe('candidatesOf', () => {
  it('gives fixed blocks their only candidate', () => {
    const names = candidatesOf(macro, PATH).map(({ name }) => name);
    assert.deepEqual([names[0], names.at(-1)], ['conv', 'linear']);
    assert.equal(names.length, macro.blocks.length);
  });
});

describe('pathOfCode', () => {
  it('names the block and the digit that is no candidate, and a wrong length', () => {
    const refuse = (code: string, pattern: RegExp): void => {
      assert.throws(
        () => pathOfCode(macro, code, '--arch'),
        (thrown: unknown) =>
          thrown instanceof TrialError &&
          thrown.code === 'ARCHITECTURE_INVALID' &&
          pattern.test(thrown.message),
      );
    };
    refuse('22222223', /--arch: label "layer_7": wanted identity, mb3_k3, mb6_k5; found digit "3"/);
    refuse('2222222', /each of the 8 blocks.*found 7/);
    refuse('2222222x', /found digit "x"/);
  });
});

describe('spaceSize', () => {
  it('is exact beyond 2^53', () => {
    assert.equal(spaceSize(creamSpace([4, 4, 4, 4, 4])), 3_656_158_440_062_976n);
    assert.equal(spaceSize(creamSpace([4, 4, 5, 4, 4])), 21_936_950_640_377_856n);
    assert.equal(spaceSize(macro), 6561n);
  });
});
