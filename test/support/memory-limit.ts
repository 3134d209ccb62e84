/** Trains ever larger batches with half a GiB of address space left; prints the error that ends it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { TrialError } from '../../src/foundation/errors.ts';
import { namingMemory } from '../../src/tasks/out-of-memory.ts';
import { nativeEngine } from './engine.ts';
import { tinyBatch, tinySupernet, trainPath } from './tiny.ts';

const supernet = tinySupernet(await nativeEngine());

function train(count: number): void {
  const { images, labels } = tinyBatch(16, 'x');
  const batch = {
    count,
    images: new Float32Array((images.length / 16) * count),
    labels: new Int32Array(count).fill(labels[0]!),
  };
  trainPath(supernet, [2, 2, 2], batch);
}

train(64);
const kib = Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
const limit = 1024 * kib + 2 ** 29;
execFileSync('prlimit', ['--pid', String(process.pid), `--as=${limit}`]);
try {
  for (let count = 4096; ; count *= 2) train(count);
} catch (error) {
  const named = namingMemory(error);
  if (!(named instanceof TrialError)) throw error;
  process.stdout.write(`${named.code}: ${named.message}\n`);
}
