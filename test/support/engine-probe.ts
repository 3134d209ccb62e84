/**
 * Loads the engine in a process of its own, with the threads named by the first argument, and
 * prints the hash of results that must not depend on the process.
 */
import { createHash } from 'node:crypto';
import { loadTensorFlow } from '../../src/engine/load.ts';
import { ownKernels } from '../../src/engine/native-ops.ts';
import { tensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';

const { tf } = await loadTensorFlow({
  engine: 'cpu',
  environment: process.env,
  threads: Number(process.argv[2]),
});
const x = tf.randomNormal([4, 12, 12, 40], 0, 1, 'float32', 1);
const dy = tf.randomNormal([4, 6, 6, 40], 0, 1, 'float32', 2);
const filter = tf.randomNormal([5, 5, 40, 1], 0, 1, 'float32', 3);
const gamma = tf.ones([40]);
const own = ownKernels(tf, tensorFlowBackend(tf));
const window = { kernel: 5, stride: 2 };
const state = { value: x, velocity: x, gradient: x, decay: 0.1 };
const results = [
  own.depthwiseFilterGradient(x, dy, window),
  own.depthwiseInputGradient({ x, filter, dy }, window),
  ...own.batchNorm([x, gamma, gamma, gamma, gamma], { factor: 0.1, activation: 2 }),
  ...own.batchNormGradient([x, x, gamma, gamma, tf.zeros([40]), gamma], 2),
  own.swish(x),
  own.swishGradient(x, x),
  own.nesterov([state], { lr: 0.1, momentum: 0.9 })[0]!.value,
  tf.grad((input) => tf.relu(input))(x),
  tf.topk(tf.reshape(x, [-1]), 3).values,
];
const hash = createHash('sha256');
for (const result of results) hash.update(result.dataSync());
console.log(hash.digest('hex'));
