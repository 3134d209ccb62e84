/** Compares what the product computes with PyTorch: `npm run test:parity`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePyTorch } from '../../scripts/setup/pytorch.ts';
import { encodeSafetensors } from '../../src/run-folder/checkpoint/safetensors.ts';
import { nativeEngine } from '../support/engine.ts';
import { ROOT } from '../support/spaces.ts';
import type { Network } from './exchange.ts';
import { computeComparison } from './product.ts';

/** Every candidate, with and without stride and shortcut as far as the skeletons allow. */
const NETWORKS: readonly Network[] = [
  {
    name: 'nas-bench-macro',
    student: [0, 2, 1, 0, 2, 2, 1, 0],
    teacher: [1, 1, 1, 2, 0, 0, 2, 2],
  },
  {
    name: 'cream-small',
    student: [1, 0, 3, 5, 2, 4, 0, 5, 3, 1],
    teacher: [0, 2, 3, 4, 1, 5, 0, 2, 1, 4],
  },
];

const { command, env } = ensurePyTorch(ROOT, process.env);
const [python, ...args] = command;
const folder = mkdtempSync(join(tmpdir(), 'nni-cream-parity-'));
try {
  await writeComparisons();
  const script = join(import.meta.dirname, 'compare.py');
  const { status } = spawnSync(python, [...args, script, folder], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function writeComparisons(): Promise<void> {
  const engine = await nativeEngine();
  console.log(`${engine.version} beside PyTorch; errors against PyTorch in float64`);
  for (const network of NETWORKS) {
    const { description, inputs, results } = computeComparison(engine, network);
    const file = join(folder, network.name);
    writeFileSync(`${file}.json`, JSON.stringify(description));
    writeFileSync(`${file}.inputs.safetensors`, encodeSafetensors(inputs));
    writeFileSync(`${file}.results.safetensors`, encodeSafetensors(results));
  }
}
