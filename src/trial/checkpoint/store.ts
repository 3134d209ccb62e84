/**
 * The checkpoints of one output folder: pairs of a file of arrays and a manifest, numbered in the
 * order of their saving. The manifest is written last: without one there is no checkpoint.
 */

import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { CheckpointManifest, CheckpointRun } from '../../generated/checkpoint.ts';
import type { Snapshot } from '../../training/snapshot.ts';
import { unlessUnwritable, writeAtomically } from '../atomic.ts';
import { manifestText, parseManifest, sha256 } from './manifest.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** Name of the folder of checkpoints within the output folder. */
export const CHECKPOINT_FOLDER = 'checkpoints';

/** Checkpoints that are kept beside the best one. */
const KEPT = 2;

/** Far above what a manifest takes, which names every bad sample. */
const MAX_MANIFEST_BYTES = 2 ** 28;

const MANIFEST = /^(\d{8,15})\.json$/;

/** A whole checkpoint. */
export interface Checkpoint {
  /** Path of the manifest. */
  readonly file: string;
  readonly manifest: CheckpointManifest;
  readonly snapshot: Snapshot;
}

/** What is written beside the state. */
export interface SaveOptions {
  readonly run: CheckpointRun;
  readonly savedAt: Date;
  /** Accuracy that the epoch's report gave, fraction; null within an epoch. */
  readonly score: number | null;
}

/** Paths of an output folder's manifests, newest first; whether they are whole is not said. */
export async function manifestFiles(output: string): Promise<string[]> {
  const folder = join(output, CHECKPOINT_FOLDER);
  return (await namesIn(folder))
    .filter((name) => MANIFEST.test(name))
    .sort((a, b) => numberOf(b) - numberOf(a))
    .map((name) => join(folder, name));
}

/**
 * Reads a manifest.
 *
 * @throws TrialError CHECKPOINT_INVALID
 */
export async function readManifest(file: string): Promise<CheckpointManifest> {
  return parseManifest((await readWhole(file, MAX_MANIFEST_BYTES)).toString('utf8'), file);
}

/**
 * Reads a checkpoint and holds it against its digests.
 *
 * @throws TrialError CHECKPOINT_INVALID
 */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const manifest = await readManifest(file);
  const arrays = join(file, '..', manifest.arrays.file);
  const bytes = await readWhole(arrays, manifest.arrays.bytes);
  const found = sha256(bytes);
  if (found !== manifest.arrays.sha256) {
    throw damaged(arrays, `the digest ${manifest.arrays.sha256}`, found);
  }
  const snapshot = { values: manifest.state, arrays: decodeSafetensors(bytes, arrays) };
  return { file, manifest, snapshot };
}

/**
 * The newest checkpoint of an output folder that is whole; null where there is none at all. Those
 * that are damaged are passed over with a warning.
 *
 * @throws TrialError CHECKPOINT_INVALID when there are some and all are damaged.
 */
export async function newestCheckpoint(output: string, logger: Logger): Promise<Checkpoint | null> {
  let failure: unknown = null;
  for (const file of await manifestFiles(output)) {
    try {
      return await readCheckpoint(file);
    } catch (thrown) {
      if (!(thrown instanceof TrialError)) throw thrown;
      logger.log('warning', `passed over a damaged checkpoint: ${thrown.message}`);
      failure ??= thrown;
    }
  }
  if (failure !== null) throw failure as TrialError;
  return null;
}

/**
 * Saves a state; then removes all checkpoints but the last two and the best, and whatever a killed
 * process left behind. When it fails, those that were there are as they were.
 *
 * @throws TrialError FILE_UNWRITABLE
 */
export async function saveCheckpoint(
  output: string,
  snapshot: Snapshot,
  { run, savedAt, score }: SaveOptions,
): Promise<void> {
  const folder = join(output, CHECKPOINT_FOLDER);
  await unlessUnwritable(folder, () => mkdir(folder, { recursive: true }));
  const [newest] = await manifestFiles(output);
  const number = newest === undefined ? 1 : numberOf(newest) + 1;
  const name = String(number).padStart(8, '0');
  const file = `${name}.safetensors`;
  const bytes = encodeSafetensors(snapshot.arrays);
  const manifest = manifestText({
    format: 'nni-cream-checkpoint/1',
    savedAt: savedAt.toISOString(),
    score,
    arrays: { file, bytes: bytes.length, sha256: sha256(bytes) },
    run,
    state: snapshot.values as CheckpointManifest['state'],
  });
  try {
    await writeAtomically(join(folder, file), [bytes]);
    await writeAtomically(join(folder, `${name}.json`), manifest);
  } catch (thrown) {
    // A disk that has become read-only refuses this too; what it refused first is to be told.
    await rm(join(folder, file), { force: true }).catch(() => undefined);
    throw thrown;
  }
  await tidy(output);
}

/**
 * Removes all checkpoints but the last two and the best, and whatever a killed process left behind.
 * Manifests go first: what is left without one is no checkpoint.
 *
 * @param used - One that is in use: it and all that are newer, damaged or not, are kept.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function tidy(output: string, used?: string): Promise<void> {
  const folder = join(output, CHECKPOINT_FOLDER);
  await unlessUnwritable(folder, async () => {
    const kept = await worthKeeping(output, used);
    const removed = (await namesIn(folder)).filter((name) => !kept.has(name.replace(/\..*$/, '')));
    const manifests = removed.filter((name) => MANIFEST.test(name));
    for (const name of [...manifests, ...removed]) await rm(join(folder, name), { force: true });
  });
}

async function worthKeeping(output: string, used = ''): Promise<Set<string>> {
  const files = await manifestFiles(output);
  let best: { file: string; score: number } | null = null;
  for (const file of files) {
    // A damaged one cannot be the best.
    const score = await readManifest(file).then(
      (manifest) => manifest.score,
      () => null,
    );
    if (score !== null && score > (best?.score ?? -Infinity)) best = { file, score };
  }
  const recent = files.slice(0, Math.max(KEPT, files.indexOf(used) + 1));
  const kept = [...recent, ...(best === null ? [] : [best.file])];
  return new Set(kept.map((file) => String(numberOf(file)).padStart(8, '0')));
}

function numberOf(file: string): number {
  return Number(/(\d+)\.json$/.exec(file)?.[1]);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw damaged(folder, 'a readable folder', messageOf(error), error);
  }
}

async function readWhole(file: string, limit: number): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size <= limit) return await readFile(file);
    throw new Error(`${size} bytes`);
  } catch (error) {
    throw damaged(file, `a readable file of at most ${limit} bytes`, messageOf(error), error);
  }
}

function damaged(where: string, wanted: string, found: string, cause?: unknown): TrialError {
  const next = 'The file is damaged or missing: an older checkpoint of the folder may be whole.';
  return new TrialError('CHECKPOINT_INVALID', { where, wanted, found, next }, cause);
}
