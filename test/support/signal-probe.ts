/**
 * Computes until its input ends with the kernel of TensorFlow that suffers signals least (it moves the
 * stack pointer to the heap), and prints how many SIGUSR2 it heard.
 */
import { loadTensorFlow } from '../../src/engine/load.ts';
import { tensorFlowBackend } from '../../src/engine/tensorflow-backend.ts';

const { tf } = await loadTensorFlow({ engine: 'cpu', environment: process.env, threads: 2 });
const backend = tensorFlowBackend(tf);
let heard = 0;
process.on('SIGUSR2', () => heard++);
const x = tf.randomNormal([64, 32, 32, 32]);
const dy = tf.randomNormal([64, 16, 16, 64]);
const attributes = [
  backend.type('T'),
  backend.ints('strides', [1, 2, 2, 1]),
  backend.text('padding', 'EXPLICIT'),
  backend.ints('explicit_paddings', [0, 0, 0, 0, 0, 0, 0, 0]),
  backend.text('data_format', 'NHWC'),
  backend.ints('dilations', [1, 1, 1, 1]),
];
console.log('computing');
process.stdin.resume();
while (!process.stdin.readableEnded) {
  tf.tidy(() => {
    const shape = backend.constant([1, 1, 32, 64]);
    backend.run('Conv2DBackpropFilter', attributes, [x, shape, dy]).dataSync();
  });
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(`heard ${heard}`);
