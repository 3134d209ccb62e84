import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { fusedOps } from '../../src/engine/fused-ops.ts';
import { loadTensorFlow } from '../../src/engine/load.ts';
import type { Tensor } from '../../src/engine/ops.ts';
import { tensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';
import { assertClose } from '../support/close.ts';
import { plainEngine } from '../support/engine.ts';

const { tf } = await loadTensorFlow({ engine: 'cpu', environment: process.env });

/** Loss and gradients of a block with everything that has an own kernel. */
function block(engine: Engine): Float32Array[] {
  const shapes = [[2, 8, 8, 6], [5, 5, 6, 1], [5, 5, 6, 1], [6], [6]]; // prettier-ignore
  const variables = shapes.map((shape, i) => tf.randomNormal(shape, 0, 1, 'float32', i + 1));
  const [x, filter, second, gamma, beta] = variables as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const { ops } = engine;
  const { loss, gradients } = engine.differentiate(variables, () => {
    const small = ops.depthwiseConv2d(ops.depthwiseConv2d(x, filter, 2), second, 1);
    const { y } = ops.batchNorm(small, { gamma, beta }, { activation: 'relu' });
    const { y: z } = ops.batchNorm(ops.swish(y), { gamma, beta }, { activation: 'swish' });
    return { loss: tf.sum(tf.mul(z, small)) };
  });
  const state = { value: x, velocity: x, gradient: gradients[0]!, decay: 0.1 };
  const [next] = ops.nesterov([state], { lr: 0.1, momentum: 0.9 });
  return [loss, ...gradients, next!.value, next!.velocity].map((t) => engine.read(t));
}

it('TensorFlow stands in for every own kernel where they could not be compiled', async () => {
  const wanted = block(await plainEngine());
  const ops = fusedOps(tf, tensorFlowBackend(tf), null);
  const actual = block(createEngine(tf, { version: 'no own kernels', ops }));
  actual.forEach((values, part) => {
    assert.ok(wanted[part]!.some((value) => value !== 0), `part ${part} is wanted to be something`); // prettier-ignore
    assertClose(values, wanted[part]!, 5e-6, `part ${part}`);
  });
});
