import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointManifest } from '../../src/generated/checkpoint.ts';
import { PARTIAL } from '../../src/foundation/atomic-file.ts';
import {
  CHECKPOINT_FOLDER,
  manifestFiles,
  readManifest,
} from '../../src/run-folder/checkpoint/store.ts';
import type { PlannedKill } from './plan.ts';
import type { SearchProcess } from './search-process.ts';

const POLL_MS = 10;

/** Longest delay of a kill after a save has begun: about what a save takes. */
const SAVE_MS = 60;

/** How long things take when nobody kills, in milliseconds. */
export interface Pace {
  /** Until the first checkpoint. */
  readonly startUpMs: number;
  /** Between two checkpoints. */
  readonly intervalMs: number;
}

/** What a kill depends on. */
export interface KillContext {
  readonly planned: PlannedKill;
  /** Output folder of the search. */
  readonly output: string;
  readonly pace: Pace;
}

/** Kills a search at the planned moment; false when it was done before. */
export async function killAsPlanned(
  search: SearchProcess,
  { planned, output, pace }: KillContext,
): Promise<boolean> {
  const { target, progress, latest, delay } = planned;
  if (target === 'time') {
    await Promise.race([sleep(delay * pace.startUpMs), untilNewStep(search, output, latest)]);
  } else if (target === 'progress') {
    await untilStep(search, output, progress);
    // Where an earlier process has got as far, this one is to have begun its work at least.
    const startUpMs = Math.max(0, pace.startUpMs - search.ageMs);
    const delayMs = startUpMs + delay * pace.intervalMs;
    await Promise.race([sleep(delayMs), untilNewStep(search, output, latest)]);
  } else {
    await untilStep(search, output, progress);
    // Early moments are the likelier ones: small saves take a few milliseconds.
    if (await saveBegins(search, output)) await sleep(delay ** 3 * SAVE_MS);
  }
  return search.kill('SIGKILL');
}

/** The newest manifest of a folder; null where there is none. */
export async function newestManifest(output: string): Promise<CheckpointManifest | null> {
  const [newest] = await manifestFiles(output);
  // A search that runs may have removed it since.
  return newest === undefined ? null : readManifest(newest).catch(() => newestManifest(output));
}

/** Waits until a checkpoint holds a share of the steps, at most until the search has ended. */
async function untilStep(search: SearchProcess, output: string, share: number): Promise<void> {
  await untilManifest(search, output, { share, seen: undefined });
}

/** The same, but for the checkpoint that is there already. */
async function untilNewStep(search: SearchProcess, output: string, share: number): Promise<void> {
  const [seen] = await manifestFiles(output);
  await untilManifest(search, output, { share, seen });
}

async function untilManifest(
  search: SearchProcess,
  output: string,
  { share, seen }: { share: number; seen: string | undefined },
): Promise<void> {
  let last = seen;
  while (!search.hasEnded) {
    const [newest] = await manifestFiles(output);
    if (newest !== last) {
      last = newest;
      const manifest = await newestManifest(output);
      if (manifest && manifest.state.step >= Math.floor(share * manifest.run.totalSteps)) return;
    }
    await sleep(POLL_MS);
  }
}

/** Waits for the first file of a save; false when the search ended without one. */
async function saveBegins(search: SearchProcess, output: string): Promise<boolean> {
  const stop = new AbortController();
  void search.ended.then(() => {
    stop.abort();
  });
  try {
    for await (const { filename } of watch(join(output, CHECKPOINT_FOLDER), stop)) {
      if (filename?.endsWith(PARTIAL)) return true;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return false;
}
