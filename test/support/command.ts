/** The program in a process of its own, and waiting for what it does. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './spaces.ts';

const POLL_MS = 10;

/** How the program is started, beside its arguments. */
export interface CliOptions {
  /** The repository, if it is left out. */
  readonly cwd?: string;
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of Node. */
  readonly flags?: readonly string[];
  /** Command that the program is started by. */
  readonly wrapper?: readonly string[];
}

/** How the program ended, and what it printed. */
export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that may still run. */
export interface StartedCli {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly printed: { stdout: string; stderr: string };
  readonly ended: Promise<Ended>;
}

/** Starts the program from its source, with nothing to read. */
export function startCli(args: readonly string[], options: CliOptions = {}): StartedCli {
  const { cwd = ROOT, env = {}, flags = [], wrapper = [] } = options;
  const main = join(ROOT, 'src/cli/main.ts');
  const node = [process.execPath, '--import', import.meta.resolve('tsx'), ...flags, main];
  const [command, ...rest] = [...wrapper, ...node, ...args] as [string, ...string[]];
  const child = spawn(command, rest, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (piece: string) => (printed[name] += piece));
  }
  const closed = once(child, 'close') as Promise<[number | null]>;
  return { child, printed, ended: closed.then(([code]) => ({ code, ...printed })) };
}

/** Runs the program from its source to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  return startCli(args, options).ended;
}

/** How long is waited, and for whom. */
export interface Patience {
  readonly limitMs?: number;
  /** Between two looks. */
  readonly pollMs?: number;
  /** Whose doing it is: nothing more comes when it has ended. */
  readonly child?: ChildProcess;
}

/**
 * Looks again and again until there is something.
 *
 * @param look - Gives null or false as long as there is nothing.
 * @throws AssertionError when the process has ended without it, or the time is over: then it is killed.
 */
export async function until<T>(
  look: () => T | null | false | Promise<T | null | false>,
  { limitMs = 60_000, pollMs = POLL_MS, child }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    // Before the look: what a process leaves at its end counts.
    const isOver = hasEnded(child) || performance.now() > deadline;
    const found = await look();
    if (found !== null && found !== false) return found;
    if (isOver) {
      child?.kill('SIGKILL');
      assert.fail(`never came true: ${String(look)}`);
    }
    await sleep(pollMs);
  }
}

/** Clock ticks a second, as Linux counts the time of processes. */
const TICKS = 100;

/** Waits until a process has computed for so many seconds more. */
export async function untilComputed(child: ChildProcess, seconds: number): Promise<void> {
  const start = await computedSeconds(child);
  await until(async () => (await computedSeconds(child)) >= start + seconds, { child });
}

/** Time that the process has spent on processors, the system's part included. */
async function computedSeconds({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

function hasEnded(child: ChildProcess | undefined): boolean {
  return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
}
