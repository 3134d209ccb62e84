import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialError, type ErrorCode } from '../../src/foundation/errors.ts';
import {
  bindSearchSpace,
  fullSpace,
  parseNasSpace,
  parseSkeleton,
  type Skeleton,
} from '../../src/searchspace/parse.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import { readJson, shippedSkeleton } from '../support/spaces.ts';

const macro = shippedSkeleton('nas-bench-macro');

function throwsTrialError(act: () => unknown, code: ErrorCode, ...parts: readonly string[]): void {
  assert.throws(act, (thrown: unknown) => {
    assert.ok(thrown instanceof TrialError, String(thrown));
    assert.equal(thrown.code, code);
    for (const part of parts) assert.ok(thrown.message.includes(part), thrown.message);
    return true;
  });
}

function macroSpace(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...(readJson('nni-config/spaces/nas-bench-macro.json') as object), ...changes };
}

function bind(space: unknown): SearchSpace {
  return bindSearchSpace(macro, parseNasSpace(space, 'space.json'), 'space.json');
}

describe('parseSkeleton', () => {
  const refuse = (changes: object, ...parts: readonly string[]): void => {
    throwsTrialError(
      () => parseSkeleton({ ...macro, ...changes }, 'net.json'),
      'SKELETON_INVALID',
      'net.json',
      ...parts,
    );
  };

  it('lists every violation with its place in one error', () => {
    refuse(
      { version: 2, colour: 'red', stem: [{ kind: 'conf' }] },
      '/version: must be 1 (found 2)',
      '/: must NOT have additional properties ("colour")',
      '/stem/0/kind: must be "conv", "separable", "pool" or "linear" (found "conf")',
    );
  });

  it('fills in defaults without touching what it was given', () => {
    const given = structuredClone({
      ...macro,
      stem: [{ kind: 'conv', kernel: 3, width: 32 }],
    });
    const before = structuredClone(given);
    const [stem] = parseSkeleton(given, 'net.json').stem;
    assert.deepEqual(stem, { kind: 'conv', kernel: 3, stride: 1, width: 32, batchNorm: true });
    assert.deepEqual(given, before);
  });

  it('refuses a candidate name or a label that stands twice', () => {
    refuse({ candidates: [...macro.candidates, macro.candidates[0]] }, '"identity" twice');
    refuse({ stages: [macro.stages[0], macro.stages[0]] }, '"layer_0" twice');
  });

  it('refuses a head that does not pool, or does not end with the one linear layer', () => {
    const [conv, pool, linear] = macro.head;
    refuse({ head: [conv, linear] }, '/head', 'conv, linear');
    refuse({ head: [linear, pool] }, '/head', 'linear, pool');
    refuse({ head: [conv, pool, linear, linear] }, '/head', 'linear, linear');
  });

  it("refuses family cream for a network that Cream's files cannot describe", () => {
    const cream = shippedSkeleton('cream-small');
    const differences: readonly (readonly [Partial<Skeleton>, string])[] = [
      [{ stages: [cream.stages[0]] }, '/stages'],
      [{ stages: [{ ...cream.stages[0], labels: ['first'] }, ...cream.stages.slice(1)] }, 's1_i0'],
      [{ candidates: [cream.candidates[0]] }, '/candidates'],
      [{ stem: [] }, '/stem'],
      [{ activation: 'relu' }, '/activation'],
      [{ squeezeExcite: null }, '/squeezeExcite'],
    ];
    for (const [changes, part] of differences) {
      const changed = { ...cream, ...changes };
      throwsTrialError(() => parseSkeleton(changed, 'net.json'), 'SKELETON_INVALID', part);
      parseSkeleton({ ...changed, family: 'other' }, 'net.json');
    }
  });
});

describe('parseNasSpace', () => {
  const refuse = (space: unknown, ...parts: readonly string[]): void => {
    throwsTrialError(
      () => parseNasSpace(space, 'space.json'),
      'SEARCH_SPACE_INVALID',
      'space.json',
      ...parts,
    );
  };

  it('reads the choice form and the classic layer_choice form alike', () => {
    const choice = { a: { _type: 'choice', _value: ['x', 'y'] } };
    const classic = { a: { _type: 'layer_choice', _value: ['x', 'y'] } };
    assert.deepEqual(parseNasSpace(choice, 'f'), new Map([['a', ['x', 'y']]]));
    assert.deepEqual(parseNasSpace(classic, 'f'), new Map([['a', ['x', 'y']]]));
  });

  it("refuses $schema and every other key that would break NNI's tuners", () => {
    refuse(macroSpace({ $schema: '../x.json' }), '$schema');
    refuse(macroSpace({ version: 1 }), '/version: must be object');
    refuse({ a: { _type: 'choice', _value: ['x'], note: '' } }, '("note")');
    refuse({}, '/');
  });

  it('refuses other types, input choices and duplicate candidates by label', () => {
    const allowed = 'must be "choice" or "layer_choice"';
    refuse({ a: { _type: 'quniform', _value: [0, 1] } }, `/a/_type: ${allowed} (found "quniform")`);
    refuse({ a: { _value: ['x'] } }, `/a/_type: ${allowed} (found nothing)`);
    const inputs = { _type: 'input_choice', _value: { candidates: ['a', 'b'], n_chosen: 1 } };
    refuse({ any: inputs }, `/any/_type: ${allowed} (found "input_choice")`);
    refuse({ a: { _type: 'choice', _value: ['x', 'x'] } }, 'label "a"', '"x" twice', 'Remove');
  });
});

describe('bindSearchSpace', () => {
  const refuse = (space: unknown, ...parts: readonly string[]): void => {
    throwsTrialError(() => bind(space), 'SEARCH_SPACE_INVALID', 'space.json', ...parts);
  };

  it('gives every block of the shipped macro space its candidates and shapes', () => {
    const space = bind(macroSpace());
    assert.deepEqual(space, fullSpace(macro));
    assert.deepEqual(
      space.choices.map(({ name, output }) => [name, output.height, output.channels]),
      [
        ['layer_0', 16, 64],
        ['layer_1', 16, 64],
        ['layer_2', 8, 128],
        ['layer_3', 8, 128],
        ['layer_4', 8, 128],
        ['layer_5', 4, 256],
        ['layer_6', 4, 256],
        ['layer_7', 4, 256],
      ],
    );
    assert.deepEqual(space.blocks.at(-1)?.output, { height: 1, width: 1, channels: 10 });
  });

  it("chains blocks: each one's input is the output before it", () => {
    const { blocks } = bind(macroSpace());
    assert.deepEqual(
      blocks.slice(1).map(({ input }) => input),
      blocks.slice(0, -1).map(({ output }) => output),
    );
  });

  it('takes a subset of the candidates in the order of the space', () => {
    const values = { _type: 'layer_choice', _value: ['mb6_k5', 'identity'] };
    const [first] = bind(macroSpace({ layer_0: values })).choices;
    assert.deepEqual(
      first?.candidates.map(({ name }) => name),
      ['mb6_k5', 'identity'],
    );
  });

  it('names a label without a block, a block without a label and an unknown value', () => {
    const stray = { _type: 'choice', _value: ['identity'] };
    refuse(
      macroSpace({ layer_8: stray }),
      'label "layer_8"',
      'layer_0, layer_1',
      'without a block',
    );
    const without = Object.entries(macroSpace()).filter(([label]) => label !== 'layer_3');
    refuse(Object.fromEntries(without), 'label "layer_3"', 'without a label', 'Add the label');
    const unknown = { _type: 'choice', _value: ['identity', 'mb3_k7'] };
    refuse(macroSpace({ layer_3: unknown }), 'label "layer_3"', 'mb3_k3', '"mb3_k7"', 'Correct');
    const number = { _type: 'choice', _value: [0] };
    refuse(macroSpace({ layer_3: number }), 'label "layer_3"', 'found 0');
  });

  it('is frozen all the way down', () => {
    const pending: unknown[] = [bind(macroSpace())];
    for (const value of pending) {
      if (typeof value !== 'object' || value === null) continue;
      assert.ok(Object.isFrozen(value));
      pending.push(...(Object.values(value) as unknown[]));
    }
    assert.ok(pending.length > 100);
  });
});
