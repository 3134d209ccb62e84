import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Tensor } from '../../src/engine/ops.ts';
import { loadTensorFlow, type TensorFlow } from '../../src/engine/load.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Parameter } from '../../src/engine/parameter.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { createMetaNetwork } from '../../src/algorithms/cream/meta-network.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { creamSkeleton, type CreamSettings } from '../../src/searchspace/cream.ts';
import { bindSearchSpace, fullSpace, parseSkeleton } from '../../src/searchspace/parse.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import type { Module, Pass } from '../../src/supernet/layers.ts';
import { buildOperation } from '../../src/supernet/operations.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { assertClose } from '../support/close.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinySpace, tinySupernet } from '../support/tiny.ts';

let engine: Engine;
let tf: TensorFlow['tf'];

before(async () => {
  engine = await nativeEngine();
  ({ tf } = await loadTensorFlow({ engine: 'cpu', environment: process.env }));
});

const paper: CreamSettings = {
  name: 'cream',
  depths: [4, 4, 4, 4, 4],
  imageSize: 224,
  classes: 1000,
};

function creamSpace(changes: Partial<CreamSettings> = {}): SearchSpace {
  return fullSpace(parseSkeleton(creamSkeleton({ ...paper, ...changes }), 'test'));
}

type Shape = readonly number[];

function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** The supernet's modules and the shapes of their parameters; `valueOf` fills them if needed. */
function modulesOf(
  space: SearchSpace,
  valueOf: (shape: Shape) => Tensor | null = () => null,
): { blocks: Module[][]; parameters: Parameter[] } {
  const parameters: Parameter[] = [];
  const make = (name: string, shape: Shape): Parameter => {
    const value = valueOf(shape) as Tensor;
    const parameter = { name, shape, decayed: true, value, slots: [] };
    parameters.push(parameter);
    return parameter;
  };
  const blocks = space.blocks.map(({ name, input, candidates }) =>
    candidates.map((candidate) =>
      buildOperation(candidate.operation, input, { make, name: `${name}/${candidate.name}` }),
    ),
  );
  return { blocks, parameters };
}

describe('the supernet of the paper', () => {
  it('has 28,845,913 parameters with the 4,001 of the meta network', () => {
    const { parameters } = modulesOf(creamSpace());
    const weights = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const meta = createMetaNetwork(4 * 1000, 1).weight.length + 1;
    assert.equal(meta, 4001);
    assert.equal(weights + meta, 28_845_913);
  });

  it('squeeze-and-excitation narrows each expanded width to the published one', () => {
    const { parameters } = modulesOf(creamSpace());
    const pairs = parameters
      .filter(({ name }) => name.endsWith('/se/reduce/filter'))
      .map(({ shape }) => `${shape[2]}->${shape[3]}`);
    assert.deepEqual(
      [...new Set(pairs)].sort((a, b) => parseInt(a) - parseInt(b)),
      ['16->8', '64->16', '96->24', '144->40', '160->40', '240->64', '320->80', '384->96'].concat(
        ['480->120', '576->144', '768->192', '1152->288'], // prettier-ignore
      ),
    );
  });

  const sizes: readonly [number, readonly number[]][] = [
    [224, [112, 112, 56, 28, 14, 14, 7, 7]],
    [64, [32, 32, 16, 8, 4, 4, 2, 2]],
  ];
  for (const [imageSize, wanted] of sizes) {
    it(`feature maps of a ${imageSize} px image are ${wanted.join(', ')} px`, () => {
      const space = creamSpace({ depths: [1, 1, 1, 1, 1], imageSize, classes: 2 });
      const zeros = (shape: Shape): Tensor =>
        engine.keep(engine.tensor(new Float32Array(sizeOf(shape)), shape));
      const { blocks, parameters } = modulesOf(space, zeros);
      const normalisation = { by: 'batch' } as const;
      const pass: Pass = { engine, normalisation, weightOf: ({ value }) => value };
      for (const candidate of [0, 2, 4]) {
        engine.scope(() => {
          let x: Tensor = engine.tensor(new Float32Array(imageSize ** 2 * 3), [1, imageSize, imageSize, 3]); // prettier-ignore
          const shapes = blocks.map((modules) => {
            x = modules[modules.length > 1 ? candidate : 0]!.forward(x, pass);
            return x.shape;
          });
          assert.deepEqual(shapes.slice(0, 8).map(([, height]) => height), wanted); // prettier-ignore
          assert.deepEqual(shapes.slice(0, 8).map(([, , width]) => width), wanted); // prettier-ignore
          assert.deepEqual(shapes.at(-1), [1, 2]);
        });
      }
      engine.dispose(parameters.map(({ value }) => value));
    });
  }
});

/** A cream net of one candidate a block: 32 px, 5 classes, a 2 x 2 map before the head. */
function singlePathNet(operation: string): Supernet {
  const settings = { depths: [1, 1, 1, 2, 1], imageSize: 32, classes: 5 } as const;
  const skeleton = creamSkeleton({ ...paper, ...settings, stemStride: 1 });
  const labels = skeleton.stages.flatMap((stage) => stage.labels);
  const space = new Map(labels.map((label) => [label, [operation]]));
  return new Supernet(engine, bindSearchSpace(skeleton, space, 'test'), 1);
}

/** The same network once more, from TensorFlow.js's own operations and the specification alone. */
function handMadeForward(net: Supernet, images: Tensor, kernel: number) {
  const weights = new Map(net.parameters.map(({ name, value }) => [name, value]));
  const get = (name: string): Tensor => {
    const value = weights.get(name);
    assert.ok(value, name);
    return value;
  };
  const pad = (x: Tensor4D, size: number): Tensor4D => {
    const p = (size - 1) / 2;
    return tf.pad4d(x, [[0, 0], [p, p], [p, p], [0, 0]]); // prettier-ignore
  };
  const swish = <T extends Tensor>(x: T): T => tf.mul(x, tf.sigmoid(x));
  const conv = (x: Tensor4D, name: string, size: number, stride: number): Tensor4D =>
    tf.conv2d(pad(x, size), get(`${name}/filter`) as Tensor4D, stride, 'valid');
  const norm = (x: Tensor4D, name: string): Tensor4D => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    const scale = tf.div(get(`${name}/gamma`), tf.sqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(tf.sub(x, mean), scale), get(`${name}/beta`));
  };
  const excite = (x: Tensor4D, name: string): Tensor4D => {
    const pooled = tf.mean<Tensor4D>(x, [1, 2], true);
    const narrow = tf.relu(tf.add<Tensor4D>(conv(pooled, `${name}/reduce`, 1, 1), get(`${name}/reduce/bias`))); // prettier-ignore
    const wide = tf.add<Tensor4D>(conv(narrow, `${name}/expand`, 1, 1), get(`${name}/expand/bias`));
    return tf.mul(x, tf.div(tf.clipByValue(tf.add(wide, 3), 0, 6), 6));
  };
  const depthwise = (x: Tensor4D, name: string, size: number, stride: number): Tensor4D => {
    const filter = get(`${name}/depthwise/filter`) as Tensor4D;
    const y = tf.depthwiseConv2d(pad(x, size), filter, stride, 'valid');
    const gated = excite(swish(norm(y, `${name}/depthwise/bn`)), `${name}/se`);
    return norm(conv(gated, `${name}/project`, 1, 1), `${name}/project/bn`);
  };
  const inverted = (x: Tensor4D, label: string, stride: number): Tensor4D => {
    const name = [...weights.keys()].find((key) => key.startsWith(`${label}/`))!;
    const site = name.split('/').slice(0, 2).join('/');
    const expanded = swish(norm(conv(x, `${site}/expand`, 1, 1), `${site}/expand/bn`));
    return depthwise(expanded, site, kernel, stride);
  };

  let x = swish(norm(conv(images as Tensor4D, 'stem.0', 3, 1), 'stem.0/bn'));
  x = tf.add(depthwise(x, 'stem.1', 3, 1), x);
  x = inverted(x, 's1_i0', 2);
  x = inverted(x, 's2_i0', 2);
  x = inverted(x, 's3_i0', 2);
  x = inverted(x, 's4_i0', 1);
  x = tf.add(inverted(x, 's4_i1', 1), x);
  x = inverted(x, 's5_i0', 2);
  x = swish(norm(conv(x, 'head.0', 1, 1), 'head.0/bn'));
  const hidden = (map: Tensor4D): Tensor4D =>
    swish(tf.add<Tensor4D>(conv(map, 'head.2', 1, 1), get('head.2/bias')));
  const pool = (map: Tensor4D): Tensor4D => tf.mean<Tensor4D>(map, [1, 2], true);
  const classify = (map: Tensor4D): Tensor => {
    const logits = tf.matMul(tf.reshape(map, [map.shape[0], -1]), get('head.3/weight'));
    return tf.add(logits, get('head.3/bias'));
  };
  return { logits: classify(hidden(pool(x))), pooledLate: classify(pool(hidden(x))) };
}

describe('Supernet.forward', () => {
  for (const [operation, kernel] of [
    ['k3e4', 3],
    ['k7e6', 7],
  ] as const) {
    // prettier-ignore
    it(`equals a hand-made forward pass; the head pools first (${operation})`, () => {
      const net = singlePathNet(operation);
      // Biases and shifts start at zero: give them values, so that a missing one shows.
      for (const parameter of net.parameters.filter(({ shape }) => shape.length === 1)) {
        const rng = createRng({ seed: 2, stream: parameter.name, step: 0 });
        const old = engine.read(parameter.value);
        engine.dispose([parameter.value]);
        const values = old.map((value) => value + 0.3 * rng.normal());
        parameter.value = engine.keep(engine.tensor(values, parameter.shape));
      }
      const rng = createRng({ seed: 1, stream: 'images', step: 0 });
      const values = new Float32Array(4 * 32 * 32 * 3).map(() => rng.normal());
      const images = engine.tensor(values, [4, 32, 32, 3]);
      const actual = engine.read(net.forward(images, [0, 0, 0, 0, 0, 0]));
      const hand = tf.tidy(() => {
        const { logits, pooledLate } = handMadeForward(net, images, kernel);
        return { logits: engine.read(logits), pooledLate: engine.read(pooledLate) };
      });
      assert.equal(actual.length, 4 * 5);
      assertClose(actual, hand.logits, 1e-5, 'logits');
      assert.throws(() => {
        assertClose(actual, hand.pooledLate, 1e-2, 'logits');
      }, 'the test can tell the two orders apart');
      net.dispose();
    });
  }

  it('gives a path the parameters that its cost counts', () => {
    const net = tinySupernet(engine);
    for (const path of [
      [0, 0, 0],
      [1, 2, 1],
      [2, 1, 2],
    ]) {
      // prettier-ignore
      const owned = net.parametersOf(path).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
      assert.equal(owned, pathCost(tinySpace, path).params);
    }
    net.dispose();
  });

  it('leaves running statistics and tensors alone, and owns what it disposes of', () => {
    const tensors = engine.tensorCount();
    const net = tinySupernet(engine);
    const images = engine.tensor(tinyBatch(4, 'x').images, [4, 8, 8, 3]);
    const held = engine.tensorCount();
    engine.dispose([net.forward(images, [1, 2, 1])]);
    assert.equal(engine.tensorCount(), held);
    assert.deepEqual(net.running.entries(), []);
    net.dispose();
    engine.dispose([images]);
    assert.equal(engine.tensorCount(), tensors);
  });

  it('refuses a path with an unknown candidate or too few choices', () => {
    const net = tinySupernet(engine);
    const images = engine.tensor(tinyBatch(1, 'x').images, [1, 8, 8, 3]);
    assert.throws(() => net.forward(images, [0, 3, 0]), /b: no candidate 3/);
    assert.throws(() => net.forward(images, [0, 0]), /c: no candidate/);
    engine.dispose([images]);
    net.dispose();
  });
});
