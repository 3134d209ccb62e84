/** Our training steps beside the same steps in PyTorch: `npm run bench -- --help`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePyTorch, TORCH } from '../scripts/setup/pytorch.ts';
import { undisturbed } from './machine.ts';
import type { OperationTotals } from './operations.ts';
import { comparisonTable, profileTable, summarise, type Measurement } from './report.ts';
import { NETWORKS, createWorkload, type Network } from './workload.ts';

const HELP = `npm run bench -- [options]
  --blocks N      alternating blocks of each program (5)
  --steps N       measured steps of a block (20)
  --warmup N      steps of a block before the clock starts (5)
  --network NAME  macro or cream; may be repeated (both)
  --profile       where the time of our own steps goes, without PyTorch`;

const ROOT = join(import.meta.dirname, '..');
const THREADS = 2;

const TUNED_MALLOC = {
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '8589934592',
  MALLOC_TOP_PAD_: '268435456',
};

interface BlockReport {
  /** Of the whole process. */
  readonly cpuSeconds: number;
  readonly parameters: number;
  readonly imagesPerSecond: { readonly spos: number; readonly cream: number };
  readonly operations: readonly OperationTotals[] | null;
}

/** A program of the comparison: how to run one block of it. */
interface Program {
  readonly name: Measurement['program'];
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

const OURS: Program = {
  name: 'nni-cream',
  command: [process.execPath, '--import', 'tsx', join(ROOT, 'bench/nni-cream-step.ts')],
};

const { values } = parseArgs({
  options: {
    blocks: { type: 'string', default: '5' },
    steps: { type: 'string', default: '20' },
    warmup: { type: 'string', default: '5' },
    network: { type: 'string', multiple: true },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const networks = NETWORKS.filter((name) => values.network?.includes(name) ?? true);
  const folder = mkdtempSync(join(tmpdir(), 'nni-cream-bench-'));
  try {
    for (const network of networks) writeWorkload(folder, network);
    if (values.profile) profile(folder, networks);
    else await compare(folder, networks);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function profile(folder: string, networks: readonly Network[]): void {
  for (const network of networks) {
    const { operations } = runBlock(OURS, folder, network, ['--profile']);
    for (const totals of operations ?? []) console.log(profileTable(network, totals));
  }
}

async function compare(folder: string, networks: readonly Network[]): Promise<void> {
  // Without warnings: there is no NumPy, and none is needed.
  const torch = ensurePyTorch(ROOT, process.env);
  const command = [...torch.command, join(ROOT, 'bench/torch_step.py')] as const;
  const programs: Program[] = [
    OURS,
    { name: 'PyTorch', command, env: torch.env },
    { name: 'PyTorch, tuned malloc', command, env: { ...torch.env, ...TUNED_MALLOC } },
  ];
  const measurements: Measurement[] = [];
  for (let block = 0; block < Number(values.blocks); block++) {
    for (const network of networks) {
      const reports: BlockReport[] = [];
      for (const program of programs) {
        reports.push(await undisturbed(() => runBlock(program, folder, network)));
      }
      if (new Set(reports.map(({ parameters }) => parameters)).size > 1) {
        throw new Error(`${network}: the programs' networks have different numbers of parameters`);
      }
      reports.forEach(({ imagesPerSecond }, i) => {
        const { name: program } = programs[i]!;
        measurements.push({ network, program, ...imagesPerSecond });
        console.error(`block ${block}, ${network}, ${program}:`, imagesPerSecond);
      });
    }
  }
  const { blocks, steps, warmup } = values;
  const summary = summarise(measurements);
  console.log(comparisonTable(summary));
  const machine = { processor: cpus()[0]?.model, threads: THREADS, node: process.version };
  console.log(JSON.stringify({ machine, torch: TORCH, blocks, steps, warmup, summary }));
}

function writeWorkload(folder: string, network: Network): void {
  const [steps, warmup] = [Number(values.steps), Number(values.warmup)];
  const workload = createWorkload(network, { steps, warmup, threads: THREADS });
  writeFileSync(workloadFile(folder, network), JSON.stringify(workload));
}

function workloadFile(folder: string, network: Network): string {
  return join(folder, `${network}.json`);
}

function runBlock(
  { name, command, env }: Program,
  folder: string,
  network: Network,
  flags: readonly string[] = [],
): BlockReport {
  const [executable, ...args] = command;
  const { status, stdout } = spawnSync(
    executable,
    [...args, workloadFile(folder, network), ...flags],
    { env: { ...process.env, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0) throw new Error(`${name} failed`);
  return JSON.parse(stdout) as BlockReport;
}
