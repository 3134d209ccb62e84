import { openEngine } from '../../src/engine/open.ts';
import { loadTensorFlow } from '../../src/engine/load.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { plainOps } from '../../src/engine/plain-ops.ts';

const options = { engine: 'cpu', environment: process.env } as const;

/** The product's engine: TensorFlow's native library with fused kernels. */
export function nativeEngine(): Promise<Engine> {
  return openEngine(options);
}

/** TensorFlow.js's own operations and gradients on the same native library: the reference. */
export async function plainEngine(): Promise<Engine> {
  const { tf } = await loadTensorFlow(options);
  return createEngine(tf, { version: 'plain', ops: plainOps(tf) });
}
