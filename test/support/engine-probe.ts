/**
 * Loads the engine in a process of its own, with the threads named by the first argument, and
 * prints the hash of results that must not depend on the process.
 */
import { createHash } from 'node:crypto';
import { loadTensorFlow } from '../../src/engine/load.ts';
import { ownDepthwiseFilterGradient } from '../../src/engine/native-ops.ts';
import { tensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';

const { tf } = await loadTensorFlow({
  engine: 'cpu',
  environment: process.env,
  threads: Number(process.argv[2]),
});
const x = tf.randomNormal([4, 12, 12, 40], 0, 1, 'float32', 1);
const dy = tf.randomNormal([4, 6, 6, 40], 0, 1, 'float32', 2);
const gradient = ownDepthwiseFilterGradient(tensorFlowBackend(tf));
const results = [
  gradient(x, dy, { kernel: 5, stride: 2 }),
  tf.grad((input) => tf.relu(input))(x),
  tf.topk(tf.reshape(x, [-1]), 3).values,
];
const hash = createHash('sha256');
for (const result of results) hash.update(result.dataSync());
console.log(hash.digest('hex'));
