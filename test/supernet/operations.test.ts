import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Parameter } from '../../src/engine/parameter.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import type { NetworkSkeleton } from '../../src/generated/network-skeleton.ts';
import { operationCost } from '../../src/searchspace/cost.ts';
import { fullSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import type { FeatureShape, Operation, SearchSpace } from '../../src/searchspace/space.ts';
import { buildOperation } from '../../src/supernet/operations.ts';
import { creamSpace, readJson, shippedSpace } from '../support/spaces.ts';
import { tinySpace } from '../support/tiny.ts';

/** Weights that a supernet makes for one candidate; it makes no tensors. */
function weightsOf(operation: Operation, input: FeatureShape): number {
  const parameters: Parameter[] = [];
  const make = (name: string, shape: readonly number[]): Parameter => {
    const value = null as unknown as Tensor;
    const parameter = { name, shape, decayed: true, value, slots: [] };
    parameters.push(parameter);
    return parameter;
  };
  buildOperation(operation, input, { make, name: 'block' });
  const sizes = parameters.map(({ shape }) => shape.reduce((product, length) => product * length));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Five stages of stride 2 on images of 8 pixels: from the third on, maps have one pixel. */
function onePixelSpace(): SearchSpace {
  const macro = readJson('nni-config/skeletons/nas-bench-macro.json') as NetworkSkeleton;
  const widths = [16, 16, 24, 24, 24];
  const stages = widths.map((width, s) => ({
    labels: [`s${s}_i0`, `s${s}_i1`],
    width,
    stride: 2,
  }));
  const skeleton = { ...macro, family: 'other', imageSize: 8, stages, squeezeExcite: 0.25 };
  return fullSpace(parseSkeleton(skeleton, 'one-pixel.json'));
}

describe('the weights that a supernet makes', () => {
  const spaces = [
    shippedSpace('nas-bench-macro'),
    shippedSpace('cream'),
    shippedSpace('cream-small'),
    creamSpace([1, 2, 2, 1, 1], 64),
    tinySpace,
    onePixelSpace(),
  ];
  for (const { name, imageSize, blocks } of spaces) {
    it(`are as many as each candidate of ${name} at ${imageSize} px costs`, () => {
      for (const { name: block, input, candidates } of blocks) {
        for (const { name: candidate, operation } of candidates) {
          const { params } = operationCost(operation, input);
          assert.equal(weightsOf(operation, input), params, `${block}: ${candidate}`);
        }
      }
    });
  }

  it('are none for an identity of stride 2 on a map of one pixel', () => {
    const space = onePixelSpace();
    const block = space.choices.find(({ name }) => name === 's4_i0');
    const identity = block?.candidates[0];
    assert.ok(block && identity);
    assert.deepEqual(block.input, { height: 1, width: 1, channels: 24 });
    assert.deepEqual(identity.operation, { kind: 'identity', stride: 2, out: 24 });
    assert.equal(operationCost(identity.operation, block.input).params, 0);
  });
});
