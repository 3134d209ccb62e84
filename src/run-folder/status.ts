/** What an output folder holds, found by looking only: nothing in it is changed. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { CheckpointManifest, CheckpointRun } from '../generated/checkpoint.ts';
import type { Path } from '../searchspace/space.ts';
import { RESULT_FILE } from './artifacts.ts';
import { manifestFiles, readCheckpoint, readManifest } from './checkpoint/store.ts';
import { lockHolder, type LockRecord } from './lock.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from './history.ts';
import { readResult } from './result.ts';

/** What a folder is; `running` goes before all others. */
export type FolderState = 'empty' | 'running' | 'finished' | 'resumable' | 'broken';

/** One checkpoint. */
export interface CheckpointStatus {
  /** Name of the manifest. */
  readonly file: string;
  /** ISO 8601; null when the manifest is damaged, as for `step`. */
  readonly savedAt: string | null;
  /** Steps done. */
  readonly step: number | null;
  /** Size, arrays included as far as the manifest tells it. */
  readonly bytes: number;
  /** Why it cannot be used; null for a whole one. */
  readonly damage: string | null;
}

/** How far a search has come. */
export interface SearchProgress {
  readonly step: number;
  readonly totalSteps: number;
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Share of the steps, rounded down. */
  readonly percent: number;
}

/** The best path so far. */
export interface BestPath {
  /** Names of the candidates, or their positions where the search space is not to be had. */
  readonly path: string;
  /** Accuracy, fraction. */
  readonly score: number;
}

/** All that can be said of an output folder. */
export interface FolderStatus {
  readonly folder: string;
  readonly state: FolderState;
  /** The living process that writes here. */
  readonly holder: LockRecord | null;
  /** As of the newest whole checkpoint. */
  readonly progress: SearchProgress | null;
  readonly best: BestPath | null;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointStatus[];
  readonly metrics: { readonly recorded: number; readonly undelivered: number };
  /** Why the result of the folder cannot be used. */
  readonly problem: string | null;
  /** The command to go on with; null when there is nothing to do. */
  readonly next: string | null;
}

/** Names the candidates of a path; null where the run's search space is not to be had. */
export type PathNamer = (run: CheckpointRun, path: Path) => Promise<string | null>;

/**
 * Looks at an output folder. Every checkpoint is held against its digests.
 *
 * @param namePath - Of the best path so far, which checkpoints hold by position.
 * @throws TrialError FILE_UNREADABLE when there is no such folder, or a file of it may not be read.
 */
export async function folderStatus(
  folder: string,
  namePath: PathNamer = () => Promise.resolve(null),
): Promise<FolderStatus> {
  try {
    return await lookAt(folder, namePath);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    const next = 'Name the output folder of a search, as a user who may read all of it';
    const complaint = { where: folder, wanted: 'readable files', found: cause.message, next };
    throw new TrialError('FILE_UNREADABLE', complaint, cause);
  }
}

async function lookAt(folder: string, namePath: PathNamer): Promise<FolderStatus> {
  const names = await readdir(folder);
  const result = names.includes(RESULT_FILE) ? await readBest(join(folder, RESULT_FILE)) : null;
  const looks: Look[] = [];
  for (const file of await manifestFiles(folder)) looks.push(...(await look(file)));
  const manifest = looks.find(({ status }) => status.damage === null)?.manifest;
  const found = {
    folder,
    holder: await lockHolder(folder),
    progress: manifest ? progressOf(manifest) : null,
    best: result?.best ?? (await bestOf(manifest, namePath)),
    checkpoints: looks.map(({ status }) => status),
    metrics: {
      recorded: await countLines(join(folder, METRICS_FILE)),
      undelivered: await countLines(join(folder, UNDELIVERED_FILE)),
    },
    problem: result?.problem ?? null,
  };
  const state = stateOf(found, result !== null);
  return { state, ...found, next: nextCommand(state, found, configFileOf(looks)) };
}

type Found = Omit<FolderStatus, 'state' | 'next'>;

function stateOf(
  { holder, progress, checkpoints, problem }: Found,
  hasResult: boolean,
): FolderState {
  if (holder !== null) return 'running';
  if (hasResult && problem === null) return 'finished';
  if (progress !== null) return 'resumable';
  return hasResult || checkpoints.length > 0 ? 'broken' : 'empty';
}

function nextCommand(
  state: FolderState,
  { folder, metrics }: Found,
  configFile: string,
): string | null {
  const name = shellWord(folder);
  const search = `nni-cream search --config ${shellWord(configFile)} --output ${name}`;
  switch (state) {
    case 'running':
      return null;
    case 'finished':
      return metrics.undelivered > 0 ? `nni-cream replay ${name}` : null;
    case 'resumable':
      return `nni-cream resume ${name}`;
    case 'empty':
      return search;
    case 'broken':
      return `${search} --overwrite`;
  }
}

/** Text that a shell takes for one word. */
function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

interface Look {
  readonly status: CheckpointStatus;
  readonly manifest: CheckpointManifest | null;
}

/** None for a checkpoint that a search which goes on has removed in the meantime. */
async function look(file: string): Promise<Look[]> {
  let manifest: CheckpointManifest | null = null;
  let damage: string | null = null;
  try {
    manifest = await readManifest(file);
    await readCheckpoint(file, manifest);
  } catch (thrown) {
    damage = messageOf(thrown);
  }
  const size = await stat(file).then(
    (stats) => stats.size,
    () => null,
  );
  if (size === null) return [];
  const status = {
    file: basename(file),
    savedAt: manifest?.savedAt ?? null,
    step: manifest?.state.step ?? null,
    bytes: size + (manifest?.arrays.bytes ?? 0),
    damage,
  };
  return [{ status, manifest }];
}

/** The config that a search was started with, told by any checkpoint. */
function configFileOf(looks: readonly Look[]): string {
  const told = looks.find(({ manifest }) => manifest !== null);
  return told?.manifest?.run.configFile ?? 'FILE';
}

function progressOf({ run, state }: CheckpointManifest): SearchProgress {
  const { totalSteps, stepsPerEpoch } = run;
  const { step } = state;
  const epochs = Math.ceil(totalSteps / stepsPerEpoch);
  return {
    step,
    totalSteps,
    epoch: Math.min(epochs, Math.floor(step / stepsPerEpoch) + 1),
    epochs,
    percent: Math.floor((100 * step) / totalSteps),
  };
}

async function bestOf(
  manifest: CheckpointManifest | null | undefined,
  namePath: PathNamer,
): Promise<BestPath | null> {
  const first = manifest?.state.ranking[0];
  if (!manifest || !first) return null;
  const { path, accuracy } = first;
  return { path: (await namePath(manifest.run, path)) ?? path.join(' '), score: accuracy };
}

async function readBest(file: string): Promise<{ best: BestPath | null; problem: string | null }> {
  try {
    const { path, score } = (await readResult(file)).best;
    return { best: { path, score }, problem: null };
  } catch (thrown) {
    if (!(thrown instanceof TrialError)) throw thrown;
    return { best: null, problem: thrown.message };
  }
}

/** 0 of a file that is not there: a search that runs removes some. */
async function countLines(file: string): Promise<number> {
  try {
    return (await readFile(file, 'utf8')).split('\n').length - 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
