/** Gets the CUDA libraries that TensorFlow's GPU build loads at run time. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { WHEEL_TAGS, runPip } from './pip.ts';

/** What the wheel's own metadata asks for in its `and-cuda` extra. */
export function cudaRequirements(metadata: string): string[] {
  const pattern = /^Requires-Dist: ([^;\s]+) *; *extra == "and-cuda"/gm;
  return [...metadata.matchAll(pattern)].map(([, requirement = '']) => requirement);
}

/**
 * Installs the libraries (about 3 GB) as `nvidia/` beside `lib/`, where TensorFlow's own run path
 * looks for them, and returns their paths within the engine's folder.
 */
export async function installCudaLibraries(
  python: string,
  scratch: string,
  engine: string,
): Promise<string[]> {
  const list = join(scratch, 'cuda.txt');
  const target = join(scratch, 'cuda');
  const metadata = readFileSync(join(scratch, 'METADATA'), 'utf8');
  writeFileSync(list, cudaRequirements(metadata).join('\n'));
  await runPip(python, ['install', '--no-deps', ...WHEEL_TAGS, '--target', target, '-r', list]);
  await rename(join(target, 'nvidia'), join(engine, 'nvidia'));
  return readdirSync(engine, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^nvidia\/.*\.so/.test(name),
  );
}
