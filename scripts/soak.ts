/** Runs a search for a while and tells whether its memory stays flat: `npm run soak -- --help`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { writeShapesSearch } from './shapes/search.ts';

/** Resident memory may differ by this share: freed pages go back to the system when it likes. */
const RSS_TOLERANCE = 0.05;

const HELP = `npm run soak -- [options]
Runs a search and prints, once a minute, the memory that its log tells at the start of each epoch.
Exit code 1 when it is not flat: when the most of the last quarter of the time exceeds the most of
the second quarter by more than ${100 * RSS_TOLERANCE} % of resident memory, or by a single tensor.
  --minutes N    how long (20)
  --config FILE  trial config of a search that takes longer (nas-bench-macro on generated images)`;

/** Short epochs without end; each has steps of all kinds, a ranking and a checkpoint. */
const SETTINGS = {
  epochs: 100_000,
  warmupEpochs: 1,
  metaInterval: 5,
  calibrationImages: 128,
  rankingImages: 128,
};

/** What the search has in use at one moment. */
interface MemoryUse {
  readonly minutes: number;
  readonly rssMib: number;
  readonly tensors: number;
}

const MEMORY = /memory: (\d+) MiB, (\d+) tensors/;
const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    config: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else await soak(Number(values.minutes), values.config);

async function soak(minutes: number, config: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nni-cream-soak-'));
  try {
    const file = config ?? (await writeShapesSearch(folder, SETTINGS));
    const args = ['dist/cli/main.js', 'search', '-c', file, '-o', join(folder, 'out')];
    const search = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    const timer = setTimeout(() => search.kill('SIGTERM'), minutes * MINUTE_MS);
    const uses = await watch(search);
    clearTimeout(timer);
    if (search.signalCode !== 'SIGTERM') throw new Error('the search ended before its time');
    if (!isFlat(uses, minutes)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reads the log of a search to its end; prints one memory line a minute, and all warnings. */
async function watch(search: ChildProcess): Promise<MemoryUse[]> {
  const started = performance.now();
  const ended = once(search, 'exit');
  const uses: MemoryUse[] = [];
  let printed = -1;
  for await (const line of createInterface(search.stderr!)) {
    if (/\] (WARNING|ERROR)|error [A-Z_]+:/.test(line)) console.log(line);
    const [, rssMib, tensors] = MEMORY.exec(line) ?? [];
    if (rssMib === undefined) continue;
    const minutes = (performance.now() - started) / MINUTE_MS;
    uses.push({ minutes, rssMib: Number(rssMib), tensors: Number(tensors) });
    if (Math.floor(minutes) === printed) continue;
    printed = Math.floor(minutes);
    console.log(`minute ${printed}: ${rssMib} MiB, ${tensors} tensors, epoch ${uses.length}`);
  }
  await ended;
  return uses;
}

/** Compares the last quarter of the time with the second: in the first, everything is met once. */
function isFlat(uses: readonly MemoryUse[], minutes: number): boolean {
  const [before, after] = [mostIn(2), mostIn(4)];
  const flat =
    after.rssMib <= (1 + RSS_TOLERANCE) * before.rssMib && after.tensors <= before.tensors;
  console.log(
    `most in the second quarter: ${before.rssMib} MiB, ${before.tensors} tensors; in the last: ` +
      `${after.rssMib} MiB, ${after.tensors} tensors: ${flat ? 'flat' : 'NOT FLAT'}`,
  );
  return flat;

  function mostIn(quarter: number): Omit<MemoryUse, 'minutes'> {
    const inside = uses.filter((use) => Math.ceil((4 * use.minutes) / minutes) === quarter);
    if (inside.length === 0) throw new Error(`no epoch began in quarter ${quarter}: take longer`);
    return {
      rssMib: Math.max(...inside.map(({ rssMib }) => rssMib)),
      tensors: Math.max(...inside.map(({ tensors }) => tensors)),
    };
  }
}
