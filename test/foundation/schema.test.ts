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

  it('lists every violation, and names what Ajv leaves out', () => {
    assert.throws(
      () => validate({ size: 0, unit: 'mm', colour: 1 }, 'f.json'),
      (thrown: unknown) => {
        assert.ok(thrown instanceof TrialError);
        assert.equal(thrown.code, 'CONFIG_INVALID');
        assert.equal(
          thrown.message,
          'f.json: wanted a size; found /: must NOT have additional properties ("colour"); ' +
            '/size: must be >= 1; ' +
            '/unit: must be equal to one of the allowed values (["px","cm"]). Correct it',
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
});
