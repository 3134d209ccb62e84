import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadTensorFlow, type TensorFlow } from '../../src/engine/load.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { ACTIVATIONS, type Ops, type Tensor } from '../../src/engine/ops.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { assertClose } from '../support/close.ts';
import { nativeEngine, plainEngine } from '../support/engine.ts';

const TOLERANCE = 1e-5;

let native: Engine;
let tf: TensorFlow['tf'];
let plain: Engine;

before(async () => {
  native = await nativeEngine();
  ({ tf } = await loadTensorFlow({ engine: 'cpu', environment: process.env }));
  plain = await plainEngine();
});

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly apply: (ops: Ops, inputs: readonly Tensor[]) => Tensor;
}

const convolutions = [1, 3, 5, 7].flatMap((kernel) =>
  [1, 2].flatMap((stride): Case[] => [
    {
      name: `conv2d kernel ${kernel} stride ${stride}`,
      shapes: [[2, 8, 8, 3], [kernel, kernel, 3, 4]], // prettier-ignore
      apply: (ops, [x, w]) => ops.conv2d(x!, w!, stride),
    },
    {
      name: `depthwiseConv2d kernel ${kernel} stride ${stride}`,
      shapes: [[2, 8, 8, 5], [kernel, kernel, 5, 1]], // prettier-ignore
      apply: (ops, [x, w]) => ops.depthwiseConv2d(x!, w!, stride),
    },
  ]),
);

const cases: readonly Case[] = [
  ...convolutions,
  ...ACTIVATIONS.map((activation): Case => ({
    name: `batchNorm with activation ${activation}`,
    shapes: [[4, 3, 3, 6], [6], [6]],
    apply: (ops, [x, gamma, beta]) =>
      ops.batchNorm(x!, { gamma: gamma!, beta: beta! }, { activation }).y,
  })),
  { name: 'relu', shapes: [[2, 3, 3, 4]], apply: (ops, [x]) => ops.relu(x!) },
  { name: 'swish', shapes: [[2, 3, 3, 4]], apply: (ops, [x]) => ops.swish(x!) },
  { name: 'hardSigmoid', shapes: [[2, 1, 1, 40]], apply: (ops, [x]) => ops.hardSigmoid(x!) },
  {
    name: 'globalAveragePool',
    shapes: [[2, 3, 5, 4]],
    apply: (ops, [x]) => ops.globalAveragePool(x!),
  },
  { name: 'add', shapes: [[2, 3, 3, 4], [2, 3, 3, 4]], apply: (ops, [a, b]) => ops.add(a!, b!) }, // prettier-ignore
  {
    name: 'gate',
    shapes: [[2, 3, 3, 4], [2, 1, 1, 4]], // prettier-ignore
    apply: (ops, [x, gate]) => ops.gate(x!, gate!),
  },
  { name: 'biasAdd', shapes: [[2, 3, 3, 4], [4]], apply: (ops, [x, b]) => ops.biasAdd(x!, b!) }, // prettier-ignore
  { name: 'linear', shapes: [[3, 1, 1, 6], [6, 5]], apply: (ops, [x, w]) => ops.linear(x!, w!) }, // prettier-ignore
  { name: 'softmax', shapes: [[3, 7]], apply: (ops, [x]) => ops.softmax(x!) },
];

function random(shape: readonly number[], stream: string): Float32Array {
  const rng = createRng({ seed: 1, stream, step: 0 });
  return new Float32Array(shape.reduce((a, b) => a * b)).map(() => 2 * rng.normal());
}

/** Value and gradients of <c, f(inputs)> with fixed random coefficients c. */
function valueAndGradients(engine: Engine, { shapes, apply, name }: Case) {
  const inputs = shapes.map((shape, i) => engine.tensor(random(shape, `${name} ${i}`), shape));
  const { loss, outputs, gradients } = engine.differentiate(inputs, () => {
    const y = apply(engine.ops, inputs);
    const targets = engine.tensor(random(y.shape, `${name} c`), y.shape);
    return { loss: tf.sum(tf.mul(y, targets)), outputs: [y] };
  });
  const numbers = [...outputs, ...gradients].map((t) => ({
    shape: t.shape,
    values: engine.read(t),
  }));
  engine.dispose([...inputs, loss, ...outputs, ...gradients]);
  return numbers;
}

/** Of float32 numbers, most of them sums: no output and no gradient here is zero throughout. */
function assertSame(actual: Float32Array, wanted: Float32Array, what: string): void {
  assert.ok(
    wanted.some((value) => value !== 0),
    `${what} is wanted to be something`,
  );
  assertClose(actual, wanted, TOLERANCE, what);
}

describe('fused operations', () => {
  for (const testCase of cases) {
    it(`${testCase.name} equals plain TensorFlow.js in value and gradients`, () => {
      const wanted = valueAndGradients(plain, testCase);
      const tensors = native.tensorCount();
      const actual = valueAndGradients(native, testCase);
      actual.forEach(({ shape, values }, i) => {
        assert.deepEqual(shape, wanted[i]!.shape);
        assertSame(values, wanted[i]!.values, i === 0 ? 'value' : `gradient ${i - 1}`);
      });
      valueAndGradients(native, testCase);
      const constants = native.tensorCount() - tensors;
      valueAndGradients(native, testCase);
      assert.equal(native.tensorCount() - tensors, constants, 'no tensor is left behind');
    });
  }

  it('softCrossEntropy equals plain TensorFlow.js and gives the targets no gradient', () => {
    const logits = random([4, 6], 'logits');
    const targets = new Float32Array(24).map((_, i) => (i % 6 === 2 ? 0.75 : 0.05));
    const run = (engine: Engine) => {
      const x = engine.tensor(logits, [4, 6]);
      const t = engine.tensor(targets, [4, 6]);
      const { loss, gradients } = engine.differentiate([x], () => ({
        loss: engine.ops.softCrossEntropy(x, t),
      }));
      return { loss: engine.read(loss), gradient: engine.read(gradients[0]!) };
    };
    assertSame(run(native).loss, run(plain).loss, 'loss');
    assertSame(run(native).gradient, run(plain).gradient, 'gradient');
  });

  it('batchNorm blends moments and normalise uses them, as plain TensorFlow.js does', () => {
    const run = (engine: Engine) => {
      const tensor = (shape: number[], stream: string) =>
        engine.tensor(random(shape, stream), shape);
      const x = tensor([4, 3, 3, 6], 'x');
      const affine = { gamma: tensor([6], 'gamma'), beta: tensor([6], 'beta') };
      const previous = {
        mean: tensor([6], 'mean'),
        variance: engine.tensor(new Float32Array(6).fill(2), [6]),
      };
      const { moments } = engine.ops.batchNorm(x, affine, { moving: { previous, factor: 0.1 } });
      const y = engine.ops.normalise(x, affine, moments);
      return [moments.mean, moments.variance, y].map((t) => engine.read(t));
    };
    const [mean, variance, y] = run(native);
    const [wantedMean, wantedVariance, wantedY] = run(plain);
    assertSame(mean!, wantedMean!, 'mean');
    assertSame(variance!, wantedVariance!, 'variance');
    assertSame(y!, wantedY!, 'normalised');
  });

  it('hardSigmoid is 0 at -3, 0.5 at 0 and 1 at 3', () => {
    const x = native.tensor(Float32Array.of(-3, 0, 3), [1, 1, 1, 3]);
    assert.deepEqual([...native.read(native.ops.hardSigmoid(x))], [0, 0.5, 1]);
  });

  it('stride 2 pads symmetrically: 32, 16, 8, 4, 2 pixels for every kernel', () => {
    for (const kernel of [3, 5, 7]) {
      const filter = native.tensor(random([kernel, kernel, 2, 1], 'w'), [kernel, kernel, 2, 1]);
      let x: Tensor = native.tensor(random([1, 64, 64, 2], 'x'), [1, 64, 64, 2]);
      for (const size of [32, 16, 8, 4, 2]) {
        x = native.ops.depthwiseConv2d(x, filter, 2);
        assert.deepEqual(x.shape, [1, size, size, 2]);
      }
    }
  });
});
