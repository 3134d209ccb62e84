/** Loads TensorFlow.js on the installed native library; the only file that loads the addons. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as tfjs from '@tensorflow/tfjs-core';
import { TrialError, messageOf } from '../foundation/errors.ts';
import type { SignalTimes } from '../foundation/signals.ts';
import { BINDING_FILE, DEFAULT_ENGINE_ROOT, OPS_FILE, findEngine } from './library.ts';
import type { EngineVariant, InstalledEngine } from './library.ts';
import { assertSupported } from './platform.ts';

const require = createRequire(import.meta.url);

/** Which engine computes; `js` is the slow pure-JavaScript one, for tiny runs. */
export type EngineChoice = EngineVariant | 'js';

/** How to load TensorFlow. */
export interface LoadOptions {
  readonly engine: EngineChoice;
  /** Environment variables of the process, from which TensorFlow's native code reads its settings. */
  readonly environment: Record<string, string | undefined>;
  /** Threads within and between operations; TensorFlow's choice by default. */
  readonly threads?: number | undefined;
  /** Lowest severity of TensorFlow's native messages on stderr; default errors. */
  readonly logLevel?: 'info' | 'warning' | 'error' | 'none';
  /** Folder that holds the installed engines. */
  readonly engineRoot?: string;
  /**
   * Ends the process by SIGINT or SIGTERM within a time limit, even while an operation blocks
   * JavaScript; at a second signal at once. For a process with handlers for these signals.
   */
  readonly signals?: SignalTimes | undefined;
}

/** TensorFlow.js, ready to compute. */
export interface TensorFlow {
  readonly tf: typeof tfjs;
  /** The native library behind it; `undefined` for pure JavaScript. */
  readonly installed: InstalledEngine | undefined;
  /** Whether TensorFlow knows this project's own operations now. */
  readonly ownOps: boolean;
}

/** This project's own addon. */
interface OwnAddon {
  endBySignalWithin(limitMs: number, copyMs: number): void;
}

/** The part of tfjs-node's backend that tells what it runs on. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

const LOG_LEVELS = { info: '0', warning: '1', error: '2', none: '3' } as const;

/**
 * Loads TensorFlow.js and its backend, once a process; later calls find the same instance.
 *
 * @throws TrialError ENGINE_MISSING, ENGINE_UNUSABLE, GPU_NOT_VISIBLE or ENVIRONMENT_UNSUPPORTED.
 */
export async function loadTensorFlow(options: LoadOptions): Promise<TensorFlow> {
  if (options.engine === 'js') {
    return { tf: await loadJavaScript(), installed: undefined, ownOps: false };
  }
  assertSupported(process);
  const installed = requireEngine(options.engine, options.engineRoot ?? DEFAULT_ENGINE_ROOT);
  // Our kernels are for the processor: they cannot reach a GPU's memory.
  const ownOps = installed.manifest.ownOps && options.engine === 'cpu';
  configure(options);
  try {
    restoreRemovedUtilities();
    if (installed.manifest.ownOps) loadOwnAddon(join(installed.folder, OPS_FILE), options);
    loadBinding(join(installed.folder, BINDING_FILE));
  } catch (error) {
    throw unusable(installed.folder, error);
  }
  const tf = require('@tensorflow/tfjs-core') as typeof tfjs;
  await tf.ready();
  if (options.engine === 'gpu') requireGpu(tf);
  return { tf, installed, ownOps };
}

/** What the loaded native library is and computes on. */
export function describeNative(tf: typeof tfjs): { version: string; devices: string[] } {
  const { isUsingGpuDevice, binding } = tf.backend() as unknown as NativeBackend;
  return { version: binding.TF_Version, devices: isUsingGpuDevice ? ['CPU', 'GPU'] : ['CPU'] };
}

async function loadJavaScript(): Promise<typeof tfjs> {
  const tf = require('@tensorflow/tfjs-core') as typeof tfjs;
  tf.enableProdMode(); // keeps the advertisement for the native backend off stderr
  require('@tensorflow/tfjs'); // registers that backend, and the gradients
  await tf.setBackend('cpu');
  return tf;
}

function requireEngine(variant: EngineVariant, root: string): InstalledEngine {
  const found = findEngine(root, variant);
  if (found.state === 'complete') return found.engine;
  throw new TrialError('ENGINE_MISSING', {
    where: root,
    wanted: `an installed TensorFlow library (${variant})`,
    found: found.state === 'absent' ? 'none' : `a damaged one: ${found.reason}`,
    next: `Run: npx nni-cream engine install${variant === 'gpu' ? ' --gpu' : ''}`,
  });
}

function configure({ environment, threads, logLevel = 'error' }: LoadOptions): void {
  environment['TF_CPP_MIN_LOG_LEVEL'] = LOG_LEVELS[logLevel];
  if (threads === undefined) return;
  environment['TF_NUM_INTRAOP_THREADS'] = String(threads);
  environment['TF_NUM_INTEROP_THREADS'] = String(threads);
}

/** The published tfjs-node calls two functions that Node 22 deprecates and Node 23 removed. */
function restoreRemovedUtilities(): void {
  Object.assign(require('node:util') as object, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

/** Registers our operations, and keeps signals off the threads that the binding makes: before it. */
function loadOwnAddon(file: string, { signals }: LoadOptions): void {
  const addon = require(file) as OwnAddon;
  if (signals !== undefined) addon.endBySignalWithin(signals.limitMs, signals.copyMs);
}

/** Requires tfjs-node with our addon in place of the one that its install script would have built. */
function loadBinding(addon: string): void {
  const requireFromPackage = createRequire(require.resolve('@tensorflow/tfjs-node-gpu'));
  const finder = requireFromPackage('@mapbox/node-pre-gyp/lib/pre-binding.js') as {
    find: () => string;
  };
  finder.find = () => addon;
  require('@tensorflow/tfjs-node-gpu');
}

function unusable(folder: string, error: unknown): TrialError {
  return new TrialError(
    'ENGINE_UNUSABLE',
    {
      where: folder,
      wanted: 'a TensorFlow library that loads',
      found: messageOf(error),
      next: `Remove the folder and run: npx nni-cream engine install`,
    },
    error,
  );
}

/** TensorFlow falls back to the processor without an error; a run that asked for a GPU must not. */
function requireGpu(tf: typeof tfjs): void {
  if (describeNative(tf).devices.includes('GPU')) return;
  throw new TrialError('GPU_NOT_VISIBLE', {
    where: 'TensorFlow',
    wanted: 'a CUDA device',
    found: existsSync('/dev/nvidia0') ? 'one that TensorFlow cannot use' : 'no /dev/nvidia0',
    next: 'Check nvidia-smi, the driver (CUDA 12) and CUDA_VISIBLE_DEVICES, or use the cpu engine.',
  });
}
