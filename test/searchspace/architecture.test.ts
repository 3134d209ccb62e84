import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TrialError } from '../../src/foundation/errors.ts';
import { architectureFiles, parseArchitecture } from '../../src/searchspace/architecture.ts';
import { publishedNet } from '../../src/searchspace/cream.ts';
import { fullSpace } from '../../src/searchspace/parse.ts';
import { pathOfNames } from '../../src/searchspace/path.ts';
import type { Path, SearchSpace } from '../../src/searchspace/space.ts';
import { creamSpace, readJson, shippedSpace } from '../support/spaces.ts';

const macro = shippedSpace('nas-bench-macro');

function filesOf(space: SearchSpace, path: Path): ReadonlyMap<string, string> {
  return new Map(architectureFiles(space, path).map(({ name, text }) => [name, text]));
}

function refuse(space: SearchSpace, value: unknown, ...parts: readonly string[]): void {
  assert.throws(
    () => parseArchitecture(space, value, 'arch.json'),
    (thrown: unknown) => {
      assert.ok(thrown instanceof TrialError, String(thrown));
      assert.equal(thrown.code, 'ARCHITECTURE_INVALID');
      for (const part of parts) assert.ok(thrown.message.includes(part), thrown.message);
      return true;
    },
  );
}

describe('architectureFiles', () => {
  it("writes Cream's own files for the cream family only", () => {
    const general = [
      'arch.sample.json',
      'arch.fixed.json',
      'arch.parameters.json',
      'arch.classic.json',
    ];
    assert.deepEqual([...filesOf(macro, [0, 0, 0, 0, 0, 0, 0, 0]).keys()], general);
    const cream = filesOf(creamSpace([1, 1, 1, 1, 1]), [0, 0, 0, 0, 0]);
    assert.deepEqual([...cream.keys()], [...general, 'arch.cream.json', 'arch.mobilenetv3.json']);
  });

  it('names every label in the sample and is multi-hot in the classic form', () => {
    const files = filesOf(macro, [2, 1, 0, 0, 0, 0, 0, 0]);
    const sample = JSON.parse(files.get('arch.sample.json') ?? '') as Record<string, string>;
    assert.deepEqual(
      Object.keys(sample),
      macro.choices.map(({ label }) => label),
    );
    assert.equal(sample['layer_0'], 'mb6_k5');
    const classic = JSON.parse(files.get('arch.classic.json') ?? '') as Record<string, unknown>;
    assert.deepEqual(classic['layer_0'], [false, false, true]);
    assert.deepEqual(classic['layer_1'], [false, true, false]);
  });

  it("gives the samples that NNI's own code has for the six published nets", () => {
    const vectors = readJson('test/fixtures/cream-arch-vectors.json') as {
      readonly initKwargs: object;
      readonly models: Readonly<
        Record<
          string,
          {
            readonly creamArch: unknown;
            readonly imageSize: number;
            readonly published: { readonly sample: object };
            readonly asSearched: { readonly sample: object };
          }
        >
      >;
    };
    for (const [name, vector] of Object.entries(vectors.models)) {
      for (const decoding of ['published', 'literal'] as const) {
        const net = publishedNet(name.replace('-0', '-'), decoding);
        assert.ok(net);
        const space = fullSpace(net.skeleton);
        const files = filesOf(space, pathOfNames(space, net.operations, name));
        const hub = JSON.parse(files.get('arch.mobilenetv3.json') ?? '') as {
          readonly init_kwargs: object;
          readonly sample: object;
        };
        const wanted = decoding === 'published' ? vector.published : vector.asSearched;
        assert.deepEqual(hub.sample, wanted.sample, name);
        const deepest = name === 'cream-604' ? 6 : name === 'cream-481' ? 5 : 4;
        assert.deepEqual(hub.init_kwargs, {
          ...vectors.initKwargs,
          num_labels: 1000,
          stride: [2, 1, 2, 2, 2, 1, 2, 1, 1],
          depth_range: Array(5).fill([1, deepest]),
        });
        if (decoding === 'literal') {
          const cream = JSON.parse(files.get('arch.cream.json') ?? '') as object;
          assert.deepEqual(cream, {
            arch_list: vector.creamArch,
            choices: { kernel_size: [3, 5, 7], exp_ratio: [4, 6] },
            image_size: vector.imageSize,
          });
        }
      }
    }
  });

  it('writes the width multiplier as a Python float', () => {
    const text = filesOf(creamSpace([1, 1, 1, 1, 1]), [0, 0, 0, 0, 0]).get('arch.mobilenetv3.json');
    assert.ok(text?.includes('"width_multipliers":1.0'));
  });

  it('holds none of the keys that NNI would take for its own', () => {
    const texts = architectureFiles(shippedSpace('cream-small'), Array<number>(10).fill(0));
    for (const { text } of texts) assert.doesNotMatch(text, /__nni|__symbol__|__instance|_name"/);
  });
});

describe('parseArchitecture', () => {
  it('reads back every file that it writes', () => {
    for (const space of [macro, shippedSpace('cream-small')]) {
      const paths = fc.tuple(
        ...space.choices.map(({ candidates }) => fc.nat(candidates.length - 1)),
      );
      fc.assert(
        fc.property(paths, (path) => {
          for (const { name, text } of architectureFiles(space, path)) {
            assert.deepEqual(parseArchitecture(space, JSON.parse(text), name), path, name);
          }
        }),
        { numRuns: 25 },
      );
    }
  });

  it("reads a result, a classic tuner's parameters, a bare list, a code and a name", () => {
    const path = [0, 1, 2, 0, 1, 2, 0, 1];
    const [sample] = architectureFiles(macro, path);
    const best = { sample: JSON.parse(sample?.text ?? '') as Record<string, string> };
    assert.deepEqual(parseArchitecture(macro, { best }, 'result.json'), path);
    const classic = Object.entries(best.sample).map(([label, _value], i) => [
      label,
      { _value, _idx: path[i] },
    ]);
    assert.deepEqual(parseArchitecture(macro, Object.fromEntries(classic), 'f'), path);
    assert.deepEqual(parseArchitecture(macro, '01201201', '--arch'), path);
    const cream = creamSpace([1, 2, 2, 1, 1]);
    const list = [[0], [3], [3, 3], [3, 3], [3], [3], [0]];
    assert.deepEqual(parseArchitecture(cream, list, 'f'), [3, 3, 3, 3, 3, 3, 3]);
    assert.deepEqual(parseArchitecture(cream, 'cream-14', 'f'), [0, 3, 3, 3, 3, 1, 3]);
  });

  it('refuses labels missing, strange or unknown, and values that contradict themselves', () => {
    const [sample] = architectureFiles(macro, [0, 0, 0, 0, 0, 0, 0, 0]);
    const good = JSON.parse(sample?.text ?? '') as Record<string, unknown>;
    const missing = Object.entries(good).filter(([label]) => label !== 'layer_5');
    refuse(macro, Object.fromEntries(missing), 'label "layer_5"', 'wanted one of identity');
    refuse(macro, { ...good, lr: 0.1 }, '"lr"', 'labels of "nas-bench-macro"');
    refuse(macro, { ...good, layer_5: 'mb9' }, 'label "layer_5"', 'found mb9');
    refuse(macro, { ...good, layer_5: [true, true, false] }, 'label "layer_5"');
    refuse(macro, { ...good, layer_5: [true] }, 'label "layer_5"');
    refuse(macro, { ...good, layer_5: { _value: 'identity', _idx: 2 } }, '"_idx":2');
    refuse(macro, { ...good, layer_5: [] }, 'label "layer_5"');
    refuse(macro, JSON.parse('{"__proto__": {"layer_0": "identity"}}'), '__proto__');
    const noText = { toString: 1, valueOf: 1 };
    refuse(macro, { ...good, layer_5: { _value: noText, _idx: -1 } }, 'label "layer_5"');
    refuse(macro, null, 'an architecture');
    refuse(macro, 7, 'an architecture');
  });

  it('refuses lists and names of other depths', () => {
    const cream = creamSpace([1, 2, 2, 1, 1]);
    refuse(cream, [[0], [3], [3], [3, 3], [3, 3], [3], [0]], 'not 1,2,2,1,1');
    refuse(cream, [[0], [3], [3, 6], [3, 3], [3], [3], [0]], 'digits 0 to 5', 'found 6');
    refuse(cream, { arch_list: 'no' }, 'not 1,2,2,1,1');
    refuse(cream, 'cream-481', 's1_i3');
    refuse(cream, { sample: { s1_depth: 4 } }, 'stages of 1,2,2,1,1 blocks');
    const noText = { toString: 1, valueOf: 1 };
    const depths = { s1_depth: 1, s2_depth: 2, s3_depth: 2, s4_depth: 1, s5_depth: 1 };
    refuse(cream, { ...depths, s1_depth: noText }, 'stages of 1,2,2,1,1 blocks');
    refuse(cream, { ...depths, s1_i0_ks: noText }, 'label "s1_i0"');
    refuse(macro, 'cream-14', 's1_i0');
    refuse(macro, [[0], [0]], 'a cream skeleton');
  });
});
