import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeJson, encodeMetricValue } from '../../../src/trial/channel/encoding.ts';

describe('encodeJson', () => {
  it('escapes what some reader takes for syntax, byte for byte', () => {
    assert.equal(
      encodeJson({ k: `"#//'\\\n\u2028😀é\ud800\u007f` }),
      '{"k":"\\"\\u0023\\u002f\\u002f\\u0027\\\\\\n\\u2028\\ud83d\\ude00\\u00e9\\ud800\\u007f"}',
    );
  });

  it('reads back equal through any number of layers, in printable ASCII', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const inner = encodeJson({ value, text });
        const outer = encodeJson({ inner });
        assert.match(outer, /^[ -~]*$/);
        assert.doesNotMatch(outer, /[#/']/);
        const decoded = JSON.parse(outer) as { inner: string };
        assert.deepEqual(JSON.parse(decoded.inner), JSON.parse(JSON.stringify({ value, text })));
      }),
    );
  });
});

describe('encodeMetricValue', () => {
  it('writes whole numbers as floats, which nnictl insists on', () => {
    const numbers = Object.entries({
      default: 1,
      zero: -0,
      small: 1e-7,
      large: 1e21,
      whole: Number.MAX_SAFE_INTEGER,
      negative: -3,
      half: 0.5,
    });
    assert.equal(
      encodeMetricValue(numbers),
      '{"default": 1.0, "zero": -0.0, "small": 1e-7, "large": 1e+21, ' +
        '"whole": 9007199254740991.0, "negative": -3.0, "half": 0.5}',
    );
  });

  it('is strict JSON that says the same numbers', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const text = encodeMetricValue([['default', number]]);
        assert.deepEqual(JSON.parse(text), { default: number });
        assert.match(text, /[.e]/);
      }),
    );
  });
});
