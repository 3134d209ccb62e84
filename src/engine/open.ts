import { createEngine, type Engine } from './engine.ts';
import { fusedOps } from './fused-ops.ts';
import { loadTensorFlow, type LoadOptions } from './load.ts';
import { plainOps } from './plain-ops.ts';
import { tensorFlowBackend } from './tensorflow-backend.ts';

/**
 * Loads the chosen engine.
 *
 * @throws TrialError ENGINE_MISSING, ENGINE_UNUSABLE, GPU_NOT_VISIBLE or ENVIRONMENT_UNSUPPORTED.
 */
export async function openEngine(options: LoadOptions): Promise<Engine> {
  const { tf, installed } = await loadTensorFlow(options);
  if (installed === undefined) return createEngine(tf, 'js', plainOps(tf));
  return createEngine(tf, 'native', fusedOps(tf, tensorFlowBackend(tf)));
}
