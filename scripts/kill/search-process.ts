/** The product's command line in a process of its own, watched from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSaveUnfinished, newestStep, readMetrics } from './output-folder.ts';
import type { Kill, Mark, Timeline } from './schedule.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/cli/main.js');
const POLL_MS = 10;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** What a kill met. */
export interface Hit {
  /** Newest recorded step then; null when nothing was recorded. */
  readonly step: number | null;
  readonly livedMs: number;
  readonly duringSave: boolean;
  readonly metrics: number;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly ageMs: () => number;
}

/** A command of the product on an output folder. */
export interface Command {
  readonly args: readonly string[];
  readonly folder: string;
}

/** Runs a command to its end. */
export function runToEnd({ args }: Command): Promise<Ended> {
  return start(args).ended;
}

/** Runs a search to its end and notes when it saved. @throws Error when it fails. */
export async function recordTimeline(command: Command): Promise<Timeline> {
  const { child, ended, ageMs } = start(command.args);
  const marks: Mark[] = [];
  while (isAlive(child)) {
    const step = newestStep(command.folder);
    if (step !== null && step !== marks.at(-1)?.step) marks.push({ step, ms: ageMs() });
    await sleep(POLL_MS);
  }
  const totalMs = ageMs();
  requireSuccess(await ended);
  return { marks, totalMs, startUpMs: startUpOf(marks, totalMs) };
}

/** The first save comes after the start and as many steps as lie between it and the second. */
function startUpOf([first, second]: readonly Mark[], totalMs: number): number {
  if (first === undefined || second === undefined) return totalMs / 2;
  const msPerStep = (second.ms - first.ms) / (second.step - first.step);
  return Math.max(0, first.ms - first.step * msPerStep);
}

/** Runs a command until a kill. Null when it was finished before. @throws Error when it fails. */
export async function runUntilKilled(
  command: Command,
  kill: Kill,
  { startUpMs, minimumMs }: { startUpMs: number; minimumMs: number },
): Promise<Hit | null> {
  const { folder } = command;
  mkdirSync(join(folder, 'checkpoints'), { recursive: true });
  const running = start(command.args);
  const { child, ended, ageMs } = running;
  await waitForMoment(running, folder, kill, startUpMs);
  if (isAlive(child)) await sleep(Math.max(0, minimumMs - ageMs()));
  const livedMs = ageMs();
  if (!isAlive(child) || !child.kill('SIGKILL')) {
    requireSuccess(await ended);
    return null;
  }
  const { code } = await ended;
  if (code !== null) return null;
  return {
    step: newestStep(folder),
    livedMs,
    duringSave: isSaveUnfinished(folder),
    metrics: readMetrics(folder).length,
  };
}

async function waitForMoment(
  { child, ageMs }: Running,
  folder: string,
  { kind, afterStep, delayMs }: Kill,
  startUpMs: number,
): Promise<void> {
  if (kind === 'start-up') return sleep(delayMs);
  const isReached = (): boolean => afterStep === null || (newestStep(folder) ?? -1) >= afterStep;
  const wasReached = isReached();
  while (!isReached() && isAlive(child)) await sleep(POLL_MS);
  if (kind === 'save') return untilSave(child, folder).then(() => sleep(delayMs));
  // What was recorded by an earlier process has to be loaded first.
  const loadingMs = wasReached && afterStep !== null ? startUpMs : 0;
  while (ageMs() < loadingMs && isAlive(child)) await sleep(POLL_MS);
  return sleep(delayMs);
}

/** Waits until a file of a checkpoint begins to be written, or the process ends. */
async function untilSave(child: ChildProcess, folder: string): Promise<void> {
  const watcher: FSWatcher = watch(join(folder, 'checkpoints'));
  try {
    await Promise.race([once(child, 'exit'), partialFile(watcher)]);
  } finally {
    watcher.close();
  }
}

async function partialFile(watcher: FSWatcher): Promise<void> {
  for (;;) {
    const [, name] = (await once(watcher, 'change')) as [string, string | null];
    if (name?.endsWith('.partial') === true) return;
  }
}
