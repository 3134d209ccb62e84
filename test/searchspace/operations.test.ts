import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keepsShape, makeDivisible, outputShape } from '../../src/searchspace/operations.ts';
import { creamSpace } from '../support/spaces.ts';

describe('makeDivisible', () => {
  it("gives the paper's widths of squeeze-and-excitation", () => {
    const squeezed = [
      [16, 8],
      [64, 16],
      [96, 24],
      [144, 40],
      [160, 40],
      [240, 64],
      [320, 80],
      [384, 96],
      [480, 120],
      [576, 144],
      [768, 192],
      [1152, 288],
    ] as const;
    for (const [width, expected] of squeezed) assert.equal(makeDivisible(width * 0.25), expected);
  });

  it('rounds up where rounding to the nearest would lose more than a tenth', () => {
    assert.equal(makeDivisible(11), 16);
    assert.equal(makeDivisible(17.7), 16);
    assert.equal(makeDivisible(1), 8);
  });
});

describe('outputShape', () => {
  it('divides sizes by the stride, rounded up, whatever the kernel', () => {
    for (const kernel of [1, 3, 5, 7]) {
      const operation = {
        kind: 'conv',
        kernel,
        stride: 2,
        out: 8,
        bias: false,
        batchNorm: true,
        activation: 'relu',
      } as const;
      const output = outputShape(operation, { height: 112, width: 7, channels: 3 });
      assert.deepEqual(output, { height: 56, width: 4, channels: 8 });
    }
  });

  it("follows the paper's maps at 224 and at 64 pixels", () => {
    const heights = (imageSize: number): readonly number[] =>
      creamSpace([1, 1, 1, 1, 1], imageSize).blocks.map(({ output }) => output.height);
    assert.deepEqual(heights(224), [112, 112, 56, 28, 14, 14, 7, 7, 1, 1, 1]);
    assert.deepEqual(heights(64), [32, 32, 16, 8, 4, 4, 2, 2, 1, 1, 1]);
  });
});

describe('keepsShape', () => {
  const input = { height: 8, width: 8, channels: 16 };
  const keeps = (stride: number, out: number, map = input): boolean =>
    keepsShape({ kind: 'identity', stride, out }, map);

  it('wants the same size and equal channels', () => {
    assert.equal(keeps(1, 16), true);
    assert.equal(keeps(2, 16), false);
    assert.equal(keeps(1, 24), false);
  });

  it('holds for any stride on a map that has one pixel left', () => {
    const pixel = { height: 1, width: 1, channels: 16 };
    assert.equal(keeps(2, 16, pixel), true);
    assert.equal(keeps(2, 24, pixel), false);
    assert.equal(keeps(2, 16, { ...pixel, width: 2 }), false);
  });
});
