import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CREAM_OPERATIONS,
  creamSkeleton,
  publishedNet,
  PUBLISHED_NAMES,
} from '../../src/searchspace/cream.ts';
import { bindSearchSpace, fullSpace, parseNasSpace } from '../../src/searchspace/parse.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { pathOfNames } from '../../src/searchspace/path.ts';
import { readJson, shippedSkeleton, shippedSpace } from '../support/spaces.ts';

interface Vector {
  readonly creamArch: readonly (readonly number[])[];
  readonly imageSize: number;
  readonly published: { readonly params: number; readonly macsConvLinear: number };
  readonly asSearched: { readonly params: number; readonly macsConvLinear: number };
}

const { models } = readJson('test/fixtures/cream-arch-vectors.json') as {
  readonly models: Readonly<Record<string, Vector>>;
};

describe('publishedNet', () => {
  it('knows six nets by name and no other', () => {
    assert.equal(PUBLISHED_NAMES.length, 6);
    assert.equal(publishedNet('cream-15', 'published'), null);
    assert.equal(publishedNet('constructor', 'published'), null);
  });

  it('spells the released lists of digits out literally', () => {
    for (const [name, vector] of Object.entries(models)) {
      const net = publishedNet(name.replace('-0', '-'), 'literal');
      const operations = vector.creamArch.slice(1, -1).flat();
      assert.deepEqual(
        net?.operations,
        operations.map((digit) => CREAM_OPERATIONS[digit]),
        name,
      );
      assert.equal(net.skeleton.imageSize, vector.imageSize);
    }
  });

  it("costs what NNI's own code computed, in both decodings", () => {
    for (const [name, vector] of Object.entries(models)) {
      for (const decoding of ['published', 'literal'] as const) {
        const net = publishedNet(name.replace('-0', '-'), decoding);
        assert.ok(net);
        const space = fullSpace(net.skeleton);
        const cost = pathCost(space, pathOfNames(space, net.operations, name));
        const wanted = decoding === 'published' ? vector.published : vector.asSearched;
        assert.deepEqual([cost.macs, cost.params], [wanted.macsConvLinear, wanted.params], name);
      }
    }
  });
});

describe('the shipped skeletons of the family', () => {
  it("are the builder's, with the shipped spaces bound to all their blocks", () => {
    const paper = {
      name: 'cream',
      depths: [4, 4, 4, 4, 4],
      imageSize: 224,
      classes: 1000,
    } as const;
    const $schema = '../../schemas/network-skeleton.schema.json';
    assert.deepEqual(shippedSkeleton('cream'), { $schema, ...creamSkeleton(paper) });
    for (const name of ['cream', 'cream-small', 'nas-bench-macro']) {
      const labels = parseNasSpace(readJson(`nni-config/spaces/${name}.json`), name);
      assert.deepEqual(bindSearchSpace(shippedSkeleton(name), labels, name), shippedSpace(name));
    }
  });

  it('reduce small images eight times before the head', () => {
    const { blocks, choices, imageSize } = shippedSpace('cream-small');
    assert.equal(imageSize, 32);
    assert.equal(choices.at(-1)?.output.height, 4);
    assert.deepEqual(blocks.at(-1)?.output, { height: 1, width: 1, channels: 10 });
  });
});
