/** Finds the native TensorFlow library and checks that it is complete, without loading it. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../foundation/errors.ts';

/** Which build of TensorFlow: for the processor alone, or for CUDA devices too. */
export type EngineVariant = 'cpu' | 'gpu';

/** TensorFlow version that is installed and tested by default. */
export const DEFAULT_TENSORFLOW = '2.21.0';

/** Folder of `package.json`, the same seen from `src/engine` and from `dist/engine`. */
export const PACKAGE_ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** Project-local folder that holds one folder for each installed engine. */
export const DEFAULT_ENGINE_ROOT: string = join(PACKAGE_ROOT, '.engine');

/** Name of the file that an installation writes last. */
export const MANIFEST_FILE = 'engine.json';

/** Name of the addon of `@tensorflow/tfjs-node-gpu` within an engine's folder. */
export const BINDING_FILE = 'tfjs_binding.node';

/** Name of this project's own addon within an engine's folder. */
export const OPS_FILE = 'nni_cream_ops.node';

/** Size and digest of one installed file. */
export interface InstalledFile {
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

/** What an installation recorded about itself. */
export interface EngineManifest {
  readonly format: 1;
  readonly variant: EngineVariant;
  /** TensorFlow's version. */
  readonly version: string;
  /** SHA-256 of the pip wheel that the library came out of. */
  readonly wheelSha256: string;
  /** First line of the compiler's `--version`. */
  readonly compiler: string;
  /** SHA-256 over the addons' sources and compiler arguments. */
  readonly buildInputs: string;
  /** Whether the CUDA libraries were installed into the same folder. */
  readonly cudaLibraries: boolean;
  /** Whether this project's own operations could be compiled. */
  readonly ownOps: boolean;
  /** Files of the engine by path within its folder. */
  readonly files: Readonly<Record<string, InstalledFile>>;
}

/** A complete engine on disk. */
export interface InstalledEngine {
  /** Absolute path. */
  readonly folder: string;
  readonly manifest: EngineManifest;
}

/** State of an engine's folder. */
export type EngineState =
  | { readonly state: 'complete'; readonly engine: InstalledEngine }
  | { readonly state: 'absent' }
  | { readonly state: 'damaged'; readonly reason: string };

/** Folder of one engine within the engine root. */
export function engineFolder(root: string, variant: EngineVariant, version: string): string {
  return join(root, `${variant}-${version}`);
}

/** Checks presence and sizes of an engine's files, which takes a millisecond and finds interrupted copies. */
export function inspectEngine(folder: string): EngineState {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return { state: 'absent' };
  try {
    const text = readFileSync(join(folder, MANIFEST_FILE), 'utf8');
    const manifest = JSON.parse(text) as EngineManifest;
    for (const [name, { bytes }] of Object.entries(manifest.files)) {
      const { size } = statSync(join(folder, name));
      if (size !== bytes) throw new Error(`${name} has ${size} bytes instead of ${bytes}`);
    }
    return { state: 'complete', engine: { folder, manifest } };
  } catch (error) {
    return { state: 'damaged', reason: messageOf(error) };
  }
}

/** Looks for the newest installed engine of a variant; a complete one goes before a damaged one. */
export function findEngine(root: string, variant: EngineVariant): EngineState {
  if (statSync(root, { throwIfNoEntry: false }) === undefined) return { state: 'absent' };
  const states = readdirSync(root)
    .filter((name) => name.startsWith(`${variant}-`))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => inspectEngine(join(root, name)));
  return states.find(({ state }) => state === 'complete') ?? states[0] ?? { state: 'absent' };
}
