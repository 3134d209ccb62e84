/** Compiles the Node addons against an unpacked TensorFlow library. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { TrialError } from '../../foundation/errors.ts';
import { BINDING_FILE, OPS_FILE, PACKAGE_ROOT } from '../library.ts';
import { lastLines, runCommand } from './command.ts';

const require = createRequire(import.meta.url);

/** One shared library that Node loads. */
export interface Addon {
  /** Name of the result within the engine's folder. */
  readonly file: string;
  /** Folder of the `.cc` and `.h` files. */
  readonly sources: string;
  readonly arguments: readonly string[];
}

/** Builds on every Node from 20 on: Node-API is binary compatible upwards. */
const COMMON = [
  ...['-std=c++17', '-fPIC', '-shared', '-DNDEBUG', '-DNAPI_VERSION=8'],
  ...['-DBUILDING_NODE_EXTENSION', '-fvisibility=hidden'],
];

/** The addon of `@tensorflow/tfjs-node-gpu`, unchanged; the same for both variants. */
export const BINDING: Addon = {
  file: BINDING_FILE,
  sources: join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'binding'),
  arguments: ['-O2', '-DNODE_GYP_MODULE_NAME=tfjs_binding'],
};

/** This project's own operations; TensorFlow's kernels stand in where they do not compile. */
export const OWN_OPS: Addon = {
  file: OPS_FILE,
  sources: join(PACKAGE_ROOT, 'native'),
  // Eigen must align as TensorFlow was built to, whatever this compiler takes for granted.
  arguments: ['-O3', '-DEIGEN_MAX_ALIGN_BYTES=64'],
};

/** Where the compiler finds what. */
export interface CompileTask {
  readonly compiler: string;
  /** Engine folder under construction, with TensorFlow's libraries in `lib/`. */
  readonly folder: string;
  /** TensorFlow's headers. */
  readonly include: string;
}

function sourceFiles(addon: Addon, pattern: RegExp): string[] {
  return readdirSync(addon.sources)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(addon.sources, name));
}

/** SHA-256 over everything of ours that goes into the addons. */
export function hashBuildInputs(): string {
  const hash = createHash('sha256').update(COMMON.join(' '));
  for (const addon of [BINDING, OWN_OPS]) {
    hash.update(addon.arguments.join(' '));
    for (const file of sourceFiles(addon, /\.(cc|h)$/)) hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** First line of the compiler's `--version`; throws ENGINE_BUILD_FAILED where there is none. */
export async function describeCompiler(compiler: string): Promise<string> {
  const { status, output } = await runCommand(compiler, ['--version']);
  if (status === 0) return output.split('\n', 1)[0] ?? '';
  throw new TrialError('ENGINE_BUILD_FAILED', {
    where: compiler,
    wanted: 'a C++17 compiler',
    found: lastLines(output),
    next: 'Install one (apt-get install g++) and run the command again.',
  });
}

/** Loads an addon with all symbols bound, in a process of its own, because a bad one would end it. */
async function checkLoads(file: string): Promise<string | undefined> {
  const load = `process.dlopen({ exports: {} }, process.argv[1], ${constants.dlopen.RTLD_NOW})`;
  const code = `try { ${load} } catch (error) { console.error(error.message); process.exit(1); }`;
  const { status, output } = await runCommand(process.execPath, ['-e', code, file]);
  return status === 0 ? undefined : lastLines(output);
}

/** Compiles one addon and checks that it loads; throws ENGINE_BUILD_FAILED. */
export async function compileAddon(addon: Addon, task: CompileTask): Promise<void> {
  const { compiler, folder, include } = task;
  const target = join(folder, addon.file);
  const nodeHeaders = dirname(require.resolve('node-api-headers/package.json'));
  const { status, output } = await runCommand(compiler, [
    ...COMMON,
    ...addon.arguments,
    ...['-isystem', join(nodeHeaders, 'include'), '-isystem', include],
    ...sourceFiles(addon, /\.cc$/),
    ...['-o', target, `-L${join(folder, 'lib')}`, '-Wl,-rpath,$ORIGIN/lib'],
    ...['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2'],
  ]);
  const failure = status === 0 ? await checkLoads(target) : lastLines(output);
  if (failure === undefined) return;
  throw new TrialError('ENGINE_BUILD_FAILED', {
    where: `${compiler} ${addon.file}`,
    wanted: 'an addon that compiles and loads',
    found: failure,
    next: 'Install a newer compiler (apt-get install g++) or another TensorFlow version.',
  });
}
