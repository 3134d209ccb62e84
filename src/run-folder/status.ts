/** Describes an output folder without changing it. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf, TrialError } from '../foundation/errors.ts';
import type { CheckpointManifest, CheckpointRun } from '../generated/checkpoint.ts';
import type { Path } from '../searchspace/space.ts';
import { ARCHITECTURE_FOLDER, RESULT_FILE } from './artifacts.ts';
import {
  CHECKPOINT_FOLDER,
  manifestFiles,
  readCheckpoint,
  readManifest,
} from './checkpoint/store.ts';
import { lockHolder, type LockRecord } from './lock.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from './history.ts';
import { readResult } from './result.ts';
import { SCORES_FILE } from './scores.ts';
import { EVALUATION_FILE, RANK_FILES, studyLine } from './study-result.ts';

/** State of a folder; `running` precedes all others. */
export type FolderState = 'empty' | 'running' | 'finished' | 'resumable' | 'broken';

/** One checkpoint. */
export interface CheckpointStatus {
  /** Name of the manifest. */
  readonly file: string;
  /** ISO 8601; null if the manifest is damaged. */
  readonly savedAt: string | null;
  /** Steps done; null if the manifest is damaged. */
  readonly step: number | null;
  /** Size, with that of the arrays if the manifest tells it. */
  readonly bytes: number;
  /** Why it is unusable; null for a whole one. */
  readonly damage: string | null;
}

/** Progress of a search. */
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
  /** Names of the candidates, or their positions without the search space. */
  readonly path: string;
  /** Accuracy, fraction. */
  readonly score: number;
}

/** Description of an output folder. */
export interface FolderStatus {
  readonly folder: string;
  readonly state: FolderState;
  /** The running process that writes here. */
  readonly holder: LockRecord | null;
  /** As of the newest whole checkpoint. */
  readonly progress: SearchProgress | null;
  readonly best: BestPath | null;
  /** What an evaluation or a rank study found. */
  readonly study: string | null;
  /** Newest first. */
  readonly checkpoints: readonly CheckpointStatus[];
  readonly metrics: { readonly recorded: number; readonly undelivered: number };
  /** Why the folder's result is unusable. */
  readonly problem: string | null;
  /** The next command; null if nothing is left to do. */
  readonly next: string | null;
}

/** Names the candidates of a path; null without the run's search space. */
export type PathNamer = (run: CheckpointRun, path: Path) => Promise<string | null>;

/**
 * Inspects an output folder. Checks the digests of every checkpoint.
 *
 * @param namePath - Names the best path so far, which checkpoints hold by position.
 * @throws TrialError FILE_UNREADABLE when the folder is missing or a file in it is unreadable.
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
  const study = await readStudy(folder, names);
  const looks: Look[] = [];
  for (const file of await manifestFiles(folder)) looks.push(...(await look(file)));
  const manifest = looks.find(({ status }) => status.damage === null)?.manifest;
  const found = {
    folder,
    holder: await lockHolder(folder),
    progress: manifest ? progressOf(manifest) : null,
    best: result?.best ?? (await bestOf(manifest, namePath)),
    study: study.line,
    checkpoints: looks.map(({ status }) => status),
    metrics: {
      recorded: await countLines(join(folder, METRICS_FILE)),
      undelivered: await countLines(join(folder, UNDELIVERED_FILE)),
    },
    problem: result?.problem ?? study.problem,
  };
  const hasResult = [RESULT_FILE, EVALUATION_FILE, RANK_FILES.report].some((name) =>
    names.includes(name),
  );
  const state = stateOf(found, { hasResult, hasScores: names.includes(SCORES_FILE) });
  const origin = { task: taskOf(names), configFile: configFileOf(looks) };
  return { state, ...found, next: nextCommand(state, found, origin) };
}

type Found = Omit<FolderStatus, 'state' | 'next'>;

function stateOf(
  { holder, progress, checkpoints, problem }: Found,
  { hasResult, hasScores }: { hasResult: boolean; hasScores: boolean },
): FolderState {
  if (holder !== null) return 'running';
  if (hasResult && problem === null) return 'finished';
  if (progress !== null) return 'resumable';
  if (hasResult || checkpoints.length > 0) return 'broken';
  return hasScores ? 'resumable' : 'empty';
}

function nextCommand(
  state: FolderState,
  { folder, metrics, progress }: Found,
  { task, configFile }: { task: string; configFile: string },
): string | null {
  const again = `the same "nni-cream ${task}"`;
  const name = shellWord(folder);
  const search = `nni-cream search --config ${shellWord(configFile)} --output ${name}`;
  switch (state) {
    case 'running':
      return null;
    case 'finished':
      return metrics.undelivered > 0 ? `nni-cream replay ${name}` : null;
    case 'resumable':
      return progress === null ? again : `nni-cream resume ${name}`;
    case 'empty':
      return search;
    case 'broken':
      return task === 'search' ? `${search} --overwrite` : again;
  }
}

/** The task that a folder's files are of. Only a selection and a rank study have scores and no checkpoints. */
function taskOf(names: readonly string[]): 'search' | 'evaluate' | 'select' | 'rank' {
  const has = (...files: string[]): boolean => files.some((file) => names.includes(file));
  if (has(RESULT_FILE, CHECKPOINT_FOLDER)) return 'search';
  if (has(ARCHITECTURE_FOLDER) && has(EVALUATION_FILE, SCORES_FILE)) return 'select';
  if (has(EVALUATION_FILE)) return 'evaluate';
  return has(RANK_FILES.report, SCORES_FILE) ? 'rank' : 'search';
}

/** Quotes a text as one shell word. */
function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

interface Look {
  readonly status: CheckpointStatus;
  readonly manifest: CheckpointManifest | null;
}

/** Inspects one checkpoint; empty if a running search has just removed it. */
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

/** The search's original config file, from any readable checkpoint. */
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

/** The line of an evaluation or a rank study, or what is wrong with its file. */
async function readStudy(
  folder: string,
  names: readonly string[],
): Promise<{ line: string | null; problem: string | null }> {
  try {
    return { line: await studyLine(folder, names), problem: null };
  } catch (thrown) {
    if (!(thrown instanceof TrialError)) throw thrown;
    return { line: null, problem: thrown.message };
  }
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

/** Counts lines; 0 for a missing file, which a running search may have removed. */
async function countLines(file: string): Promise<number> {
  try {
    return (await readFile(file, 'utf8')).split('\n').length - 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
