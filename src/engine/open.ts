import { createEngine, type Engine } from './engine.ts';
import { fusedOps } from './fused-ops.ts';
import { loadTensorFlow, type LoadOptions } from './load.ts';
import { ownKernels } from './native-ops.ts';
import { plainOps } from './plain-ops.ts';
import { tensorFlowBackend } from './tensorflow-backend.ts';

/**
 * Loads the chosen engine.
 *
 * @throws TrialError ENGINE_MISSING, ENGINE_UNUSABLE, GPU_NOT_VISIBLE or ENVIRONMENT_UNSUPPORTED.
 */
export async function openEngine(options: LoadOptions): Promise<Engine> {
  const { tf, installed, ownOps } = await loadTensorFlow(options);
  if (installed === undefined) {
    const version = `TensorFlow.js ${tf.version_core} (pure JavaScript)`;
    return createEngine(tf, { version, ops: plainOps(tf) });
  }
  const version = `TensorFlow ${installed.manifest.version} (${installed.manifest.variant})`;
  const backend = tensorFlowBackend(tf);
  const own = ownOps ? ownKernels(tf, backend) : null;
  return createEngine(tf, { version, ops: fusedOps(tf, backend, own) });
}
