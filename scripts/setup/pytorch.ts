import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version that is compared with. */
export const TORCH = 'torch==2.15.0';

/** What importing it and its optimizers takes on a processor. */
const PACKAGES = [
  TORCH,
  'nvidia-cuda-runtime==13.2.75',
  'safetensors==0.6.2',
  'sympy==1.14.0',
  'mpmath==1.3.0',
  'packaging==25.0',
  'typing_extensions==4.16.0',
];

/** CUDA libraries that PyPI's build of PyTorch is linked against: 3 GB to download, never called here. */
const UNUSED_LIBRARIES = [
  'libcublas.so.13',
  'libcublasLt.so.13',
  'libcudnn.so.9',
  'libcufft.so.12',
  'libcufile.so.0',
  'libcupti.so.13',
  'libcusolver.so.12',
  'libcusparse.so.12',
  'libcusparseLt.so.0',
  'libnccl.so.2',
  'libnvrtc.so.13',
  'libnvshmem_host.so.3',
];
const STAND_IN = 'libunused.so';
/** The one variable among all that they export; functions are looked up when they are called. */
const VARIABLE = 'nvshmem_selected_device_transport';

/** How to run PyTorch. */
export interface PyTorch {
  /** Python, and arguments before the script's name. */
  readonly command: readonly [string, ...string[]];
  /** Variables that it needs beside the others. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Installs PyTorch for the processor into `.python-torch`, once, with empty libraries in the place of
 * CUDA's: 0.5 GB to download, 1.3 GB on the disk.
 */
export function ensurePyTorch(root: string, env: NodeJS.ProcessEnv): PyTorch {
  const folder = join(root, '.python-torch');
  const stampFile = join(folder, 'complete.json');
  const stamp = JSON.stringify({ folder, PACKAGES, UNUSED_LIBRARIES });
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    console.error(`Installing ${TORCH} into ${folder}: about 1.3 GB`);
    rmSync(folder, { recursive: true, force: true });
    runStep(env['NNI_CREAM_PYTHON'] ?? 'python3', ['-m', 'venv', folder]);
    const arguments_ = ['install', '--quiet', '--no-input', '--no-deps', ...PACKAGES];
    runStep(join(folder, 'bin/pip'), arguments_);
    standIn(folder);
    writeFileSync(stampFile, stamp);
  }
  // This way of loading resolves no function before its first call.
  const lazily = { TORCH_USE_RTLD_GLOBAL: '1', CUDA_VISIBLE_DEVICES: '' };
  return { command: [join(folder, 'bin/python'), '-W', 'ignore'], env: lazily };
}

/** Puts one empty library under all names, with the versions that the loader asks each of them for. */
function standIn(folder: string): void {
  const [version = ''] = readdirSync(join(folder, 'lib')).filter((name) =>
    name.startsWith('python'),
  );
  const libraries = join(folder, 'lib', version, 'site-packages/torch/lib');
  const versions = join(folder, 'versions.map');
  const nodes = [`NVSHMEM { ${VARIABLE}; };`, ...UNUSED_LIBRARIES.map((name) => `${name} {};`)];
  writeFileSync(versions, nodes.join('\n'));
  const output = ['-o', join(libraries, STAND_IN), `-Wl,--version-script=${versions}`];
  runStep('g++', ['-shared', '-fPIC', '-x', 'c++', '-', ...output], `int ${VARIABLE};`);
  for (const name of UNUSED_LIBRARIES) symlinkSync(STAND_IN, join(libraries, name));
}

function runStep(command: string, args: readonly string[], input = ''): void {
  const { status } = spawnSync(command, args, { input, stdio: ['pipe', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} failed`);
}
