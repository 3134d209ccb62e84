import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { operationCost, pathCost, type Cost } from '../../src/searchspace/cost.ts';
import { publishedNet, type Decoding } from '../../src/searchspace/cream.ts';
import { fullSpace } from '../../src/searchspace/parse.ts';
import { pathOfCode, pathOfNames } from '../../src/searchspace/path.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { creamSpace, readJson, shippedSpace } from '../support/spaces.ts';

function publishedCost(name: string, decoding: Decoding) {
  const net = publishedNet(name, decoding);
  assert.ok(net);
  const space = fullSpace(net.skeleton);
  return pathCost(space, pathOfNames(space, net.operations, name));
}

/** What thop counts: the published "FLOPs". */
function thopCount({ total }: { readonly total: Cost }): number {
  const { convMacs, linearMacs, convBias, batchNorm, pooled, pooledChannels } = total;
  return convMacs + linearMacs + convBias + 2 * batchNorm + pooled + pooledChannels;
}

/** What ptflops counts of one block: the unit of the official cost table. */
function ptflopsCount({ convMacs, convBias, batchNorm, pooled, squeezeRelu }: Cost): number {
  return convMacs + convBias + 2 * batchNorm + pooled + squeezeRelu;
}

describe('pathCost of the published nets', () => {
  it('gives the exact multiply-accumulates and parameters of the released weights', () => {
    const released = [
      ['cream-14', 13_188_608, 2_673_096],
      ['cream-43', 40_655_232, 4_398_600],
      ['cream-114', 109_623_680, 4_410_120],
      ['cream-287', 276_262_016, 6_044_368],
      ['cream-481', 460_398_080, 7_713_360],
      ['cream-604', 578_698_368, 9_695_624],
    ] as const;
    for (const [name, macs, params] of released) {
      const cost = publishedCost(name, 'published');
      assert.deepEqual([cost.macs, cost.params], [macs, params], name);
    }
  });

  it('gives those of the digits where a stage with one block obeys them', () => {
    const literal = [
      ['cream-14', 14.5019, 2_686_608],
      ['cream-43', 43.3304, 4_404_432],
      ['cream-114', 117.0502, 4_415_952],
      ['cream-287', 290.8156, 6_050_200],
      ['cream-481', 460.3981, 7_713_360],
      ['cream-604', 578.6984, 9_695_624],
    ] as const;
    for (const [name, millions, params] of literal) {
      const cost = publishedCost(name, 'literal');
      assert.equal((cost.macs / 1e6).toFixed(4), millions.toFixed(4), name);
      assert.equal(cost.params, params, name);
    }
  });

  it("reproduces the published figures with thop's rules", () => {
    const thop = {
      'cream-14': '13.8488',
      'cream-43': '42.4141',
      'cream-114': '114.4883',
      'cream-287': '287.1952',
      'cream-481': '481.5987',
      'cream-604': '604.3395',
    };
    for (const [name, millions] of Object.entries(thop)) {
      assert.equal((thopCount(publishedCost(name, 'published')) / 1e6).toFixed(4), millions, name);
    }
    assert.equal((thopCount(publishedCost('cream-14', 'literal')) / 1e6).toFixed(4), '15.2523');
  });

  it('agrees with the official code block by block on Cream 287', () => {
    const { blocks } = publishedCost('cream-287', 'published');
    assert.deepEqual(
      blocks.map(({ name, candidate, cost }) => [
        name,
        candidate,
        cost.convMacs + cost.linearMacs,
        cost.params,
      ]),
      [
        ['stem.0', 'conv', 5_419_008, 464],
        ['stem.1', 'separable', 5_017_856, 744],
        ['s1_i0', 'k3e4', 19_470_336, 5_568],
        ['s2_i0', 'k5e6', 18_187_776, 25_176],
        ['s2_i1', 'k5e6', 19_787_520, 57_264],
        ['s3_i0', 'k5e6', 12_496_320, 66_944],
        ['s3_i1', 'k3e6', 16_014_720, 199_000],
        ['s3_i2', 'k5e6', 17_520_000, 206_680],
        ['s4_i0', 'k5e6', 19_025_280, 214_392],
        ['s4_i1', 'k5e6', 24_664_320, 294_096],
        ['s4_i2', 'k5e6', 24_664_320, 294_096],
        ['s4_i3', 'k5e6', 24_664_320, 294_096],
        ['s5_i0', 'k5e6', 17_128_512, 349_584],
        ['s5_i1', 'k5e6', 23_750_784, 1_141_152],
        ['s5_i2', 'k5e6', 23_750_784, 1_141_152],
        ['head.0', 'conv', 3_010_560, 62_080],
        ['head.1', 'pool', 0, 0],
        ['head.2', 'conv', 409_600, 410_880],
        ['head.3', 'linear', 1_280_000, 1_281_000],
      ],
    );
  });
});

describe("the official cost table in the breakdown's terms", () => {
  const space = creamSpace([4, 4, 4, 4, 4]);
  /** All but the batch norm of the stem and the classifier, in millions. */
  const flopsEst = (path: Path): string => {
    const { blocks } = pathCost(space, path);
    const total = blocks.reduce((sum, { cost }) => sum + ptflopsCount(cost), 0);
    return ((total - 2 * (blocks[0]?.cost.batchNorm ?? 0)) / 1e6).toFixed(6);
  };

  it('has its entries for the first and for a repeated block of a stage', () => {
    const entry = (label: string, candidate: number): number => {
      const block = space.choices.find(({ name }) => name === label);
      const operation = block?.candidates[candidate]?.operation;
      assert.ok(block && operation);
      return ptflopsCount(operationCost(operation, block.input)) / 1e6;
    };
    assert.deepEqual([entry('s1_i0', 0), entry('s1_i1', 0)], [21.828704, 18.820752]);
    assert.deepEqual([entry('s5_i0', 5), entry('s5_i1', 5)], [18.136032, 25.40832]);
  });

  it('adds up to the two logged estimates', () => {
    const logged = [
      [[2, 0, 3, 2, 2, 3, 1, 2, 2, 5, 3, 3, 3, 3, 1, 5, 4, 0, 5, 3], '421.330992'],
      [[4, 2, 2, 0, 2, 2, 4, 5, 0, 4, 4, 4, 5, 0, 0, 0, 0, 1, 3, 1], '378.956912'],
    ] as const;
    for (const [path, millions] of logged) assert.equal(flopsEst(path), millions);
  });

  it('spans the range that the official search computes for these depths', () => {
    assert.equal(flopsEst(Array<number>(20).fill(0)), '297.836608');
    assert.equal(flopsEst(Array<number>(20).fill(5)), '571.514800');
  });
});

describe('pathCost of NAS-Bench-Macro', () => {
  it('gives flops and params of every net of the table', () => {
    const space = shippedSpace('nas-bench-macro');
    const table = readJson('test/fixtures/nas-bench-macro-dev400.json') as Record<
      string,
      { readonly flops: number; readonly params: number }
    >;
    assert.equal(Object.keys(table).length, 400);
    for (const [code, { flops, params }] of Object.entries(table)) {
      const cost = pathCost(space, pathOfCode(space, code, 'table'));
      assert.deepEqual([cost.macs, cost.params], [flops, params], code);
    }
  });

  it('counts nothing for an identity inside a stage', () => {
    const space = shippedSpace('nas-bench-macro');
    const { blocks } = pathCost(space, [0, 0, 0, 0, 0, 0, 0, 0]);
    const macs = blocks.map(({ cost }) => cost.convMacs);
    assert.equal(macs[2], 0);
    assert.equal(macs[1], 16 * 16 * 32 * 64);
  });

  it('adds up over blocks: swapping one choice changes the sum by its difference', () => {
    const space = shippedSpace('nas-bench-macro');
    const paths = fc.array(fc.nat(2), { minLength: 8, maxLength: 8 });
    const ofBlock = (choice: number, candidate: number): number => {
      const block = space.choices[choice];
      const operation = block?.candidates[candidate]?.operation;
      assert.ok(block && operation);
      return operationCost(operation, block.input).convMacs;
    };
    fc.assert(
      fc.property(paths, fc.nat(7), fc.nat(2), (path, choice, other) => {
        const difference =
          pathCost(space, path.with(choice, other)).macs - pathCost(space, path).macs;
        assert.equal(difference, ofBlock(choice, other) - ofBlock(choice, path[choice] ?? 0));
      }),
    );
  });

  it('refuses a path of another space', () => {
    const space = shippedSpace('nas-bench-macro');
    assert.throws(() => pathCost(space, [0]), RangeError);
    assert.throws(() => pathCost(space, [0, 0, 0, 0, 0, 0, 0, 3]), RangeError);
  });
});
