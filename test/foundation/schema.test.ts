import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { createValidator } from '../../src/foundation/schema.ts';

const validate = createValidator<{ readonly size: number; readonly unit: string }>({
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['size'],
    properties: {
      size: { type: 'integer', minimum: 1 },
      unit: { enum: ['px', 'cm'], default: 'px' },
    },
  },
  code: 'CONFIG_INVALID',
  noun: 'a size',
  next: 'Correct it',
});

describe('createValidator', () => {
  it('gives a copy with defaults', () => {
    const given = { size: 3 };
    assert.deepEqual(validate(given, 'f'), { size: 3, unit: 'px' });
    assert.deepEqual(given, { size: 3 });
  });

  it('lists every violation: what is allowed and what was found', () => {
    assert.throws(
      () => validate({ size: 0, unit: 'mm', colour: 1 }, 'f.json'),
      (thrown: unknown) => {
        assert.ok(thrown instanceof TrialError);
        assert.equal(thrown.code, 'CONFIG_INVALID');
        assert.equal(
          thrown.message,
          'f.json: wanted a size; found /: must NOT have additional properties ("colour"); ' +
            '/size: must be >= 1 (found 0); ' +
            '/unit: must be "px" or "cm" (found "mm"). Correct it',
        );
        return true;
      },
    );
  });

  it('says of every value that is not even an object what it should be', () => {
    for (const value of [null, undefined, 3, 'x', []]) {
      assert.throws(() => validate(value, 'f'), /must be object/);
    }
  });

  it('tells long values by their beginning, and objects and lists by their kind', () => {
    const found = (size: unknown, text: string): void => {
      assert.throws(
        () => validate({ size }, 'f'),
        (thrown: unknown) => {
          assert.ok(thrown instanceof TrialError);
          assert.ok(
            thrown.message.includes(`/size: must be integer (found ${text})`),
            thrown.message,
          );
          return true;
        },
      );
    };
    found({ secret: 1 }, 'an object');
    found([1], 'a list');
    found(null, 'null');
    found('1', '"1"');
    found('x'.repeat(1000), `"${'x'.repeat(59)}…`);
  });

  it('names the kinds that a union knows, written in place or by reference', () => {
    const branch = (kind: string): object => {
      return { type: 'object', required: ['kind'], properties: { kind: { const: kind } } };
    };
    const union = createValidator({
      schema: {
        type: 'object',
        discriminator: { propertyName: 'kind' },
        oneOf: [branch('a'), { $ref: '#/definitions/b' }],
        definitions: { b: branch('b') },
      },
      code: 'CONFIG_INVALID',
      noun: 'a shape',
      next: 'Correct it',
    });
    union({ kind: 'b' }, 'f');
    const told = (value: unknown, text: string): void => {
      const message = `f: wanted a shape; found ${text}. Correct it`;
      assert.throws(() => union(value, 'f'), { message });
    };
    told({ kind: 'c' }, '/kind: must be "a" or "b" (found "c")');
    told({ kind: {} }, '/kind: must be "a" or "b" (found an object)');
  });
});
