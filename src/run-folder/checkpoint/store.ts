/**
 * The checkpoints of one output folder: pairs of a file of arrays and a manifest, numbered in the
 * order of saving. The manifest is written last: without one there is no checkpoint.
 */

import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { sha256 } from '../../foundation/digest.ts';
import { messageOf, TrialError } from '../../foundation/errors.ts';
import { makeFolder } from '../../foundation/files.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { CheckpointManifest, CheckpointRun } from '../../generated/checkpoint.ts';
import type { Snapshot } from '../../training/snapshot.ts';
import { unlessUnwritable, writeAtomically } from '../../foundation/atomic-file.ts';
import { damaged, manifestText, parseManifest } from './manifest.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** Name of the folder of checkpoints within the output folder. */
export const CHECKPOINT_FOLDER = 'checkpoints';

/** Number of newest checkpoints to keep. */
const KEPT = 2;

/** Far above the size of a manifest, which names every bad sample. */
const MAX_MANIFEST_BYTES = 2 ** 28;

const MANIFEST = /^(\d{8,15})\.json$/;

/** Files of a checkpoint, whole or partial; other files in the folder are left alone. */
const OURS = /^(\d{8,15})\.(json|safetensors)(\.partial)?$/;

/** A whole checkpoint. */
export interface Checkpoint {
  /** Path of the manifest. */
  readonly file: string;
  readonly manifest: CheckpointManifest;
  readonly snapshot: Snapshot;
}

/** What a checkpoint holds beside the state. */
export interface SaveOptions {
  readonly run: CheckpointRun;
  readonly savedAt: Date;
  /** Accuracy that the epoch's report gave, fraction; null within an epoch. */
  readonly score: number | null;
}

/** Paths of an output folder's manifests, newest first, whole or damaged. */
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
  const text = (await readWhole(file, MAX_MANIFEST_BYTES)).toString('utf8');
  const manifest = parseManifest(text, file);
  const { arrays } = manifest;
  if (numberOf(arrays.file) === numberOf(file)) return manifest;
  throw damaged(file, 'arrays of the same number', arrays.file);
}

/**
 * Reads the arrays of a manifest and checks their digest.
 *
 * @param file - Path of the manifest.
 * @throws TrialError CHECKPOINT_INVALID
 */
export async function readCheckpoint(
  file: string,
  manifest: CheckpointManifest,
): Promise<Checkpoint> {
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
 * The newest whole checkpoint of an output folder; null if it has no checkpoints. Skips damaged ones
 * with a warning.
 *
 * @param wanted - Acceptable kinds of checkpoints, in order of preference.
 * @throws TrialError CHECKPOINT_INVALID when all checkpoints are damaged.
 */
export async function newestCheckpoint(
  output: string,
  logger: Logger,
  wanted: readonly ((manifest: CheckpointManifest) => boolean)[] = [() => true],
): Promise<Checkpoint | null> {
  const files = await manifestFiles(output);
  const candidates = wanted.flatMap((isWanted) => files.map((file) => ({ file, isWanted })));
  let failure: unknown = null;
  for (const { file, isWanted } of candidates) {
    try {
      const manifest = await readManifest(file);
      if (isWanted(manifest)) return await readCheckpoint(file, manifest);
    } catch (thrown) {
      if (!(thrown instanceof TrialError)) throw thrown;
      logger.log('warning', `passed over a damaged checkpoint: ${thrown.message}`);
      failure ??= thrown;
    }
  }
  if (failure === null) return null;
  throw new TrialError(
    'CHECKPOINT_INVALID',
    {
      where: join(output, CHECKPOINT_FOLDER),
      wanted: 'a whole checkpoint to go on from',
      found: `only damaged ones (${files.map((file) => basename(file)).join(', ')})`,
      next: `"nni-cream status ${output}" tells what is wrong with each. Restore one, or throw all away and begin again: nni-cream search --overwrite.`,
    },
    failure,
  );
}

/**
 * Whether a diverged search may roll back to a checkpoint: the start of a folder, or an epoch's end
 * that does not follow skipped steps. Every process of the search saves there, whenever it was killed.
 */
export function isRollbackPoint(manifest: CheckpointManifest): boolean {
  const { arrays, run, state } = manifest;
  const isEpochEnd = state.step === state.reports.length * run.stepsPerEpoch;
  return numberOf(arrays.file) === 1 || (isEpochEnd && isSteady(manifest));
}

/** Whether the last step before a checkpoint was not skipped. */
export function isSteady({ state }: CheckpointManifest): boolean {
  return state.stability.inARow === 0;
}

/**
 * Saves a state, then tidies as {@link tidy}. A failed save leaves the existing checkpoints unchanged.
 *
 * @throws TrialError FILE_UNWRITABLE
 */
export async function saveCheckpoint(
  output: string,
  snapshot: Snapshot,
  { run, savedAt, score }: SaveOptions,
): Promise<void> {
  const folder = join(output, CHECKPOINT_FOLDER);
  await unlessUnwritable(folder, () => makeFolder(folder));
  const [newest] = await manifestFiles(output);
  const number = newest === undefined ? 1 : numberOf(newest) + 1;
  const name = stemOf(number);
  const file = `${name}.safetensors`;
  const bytes = encodeSafetensors(snapshot.arrays);
  const manifest = manifestText({
    format: 'nni-cream-checkpoint/2',
    savedAt: savedAt.toISOString(),
    score,
    arrays: { file, bytes: bytes.length, sha256: sha256(bytes) },
    run,
    state: snapshot.values,
  });
  try {
    await writeAtomically(join(folder, file), [bytes]);
    await writeAtomically(join(folder, `${name}.json`), manifest);
  } catch (thrown) {
    // A read-only disk refuses this too; the first refusal is the one to report.
    for (const suffix of ['json', 'safetensors']) {
      await rm(join(folder, `${name}.${suffix}`), { force: true }).catch(() => undefined);
    }
    throw thrown;
  }
  await tidy(output);
}

/**
 * Removes leftovers of killed processes, and all checkpoints but the last two, the best and the
 * rollback checkpoint. Manifests go first: files without one are no checkpoint.
 *
 * @param used - The checkpoint that a search resumes from: newer ones are damaged and recomputed.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function tidy(output: string, used?: string): Promise<void> {
  const folder = join(output, CHECKPOINT_FOLDER);
  await unlessUnwritable(folder, async () => {
    const kept = await worthKeeping(output, used);
    const removed = (await namesIn(folder)).filter(
      (name) => OURS.test(name) && !kept.has(numberOf(name)),
    );
    const manifests = removed.filter((name) => MANIFEST.test(name));
    for (const name of [...manifests, ...removed]) await rm(join(folder, name), { force: true });
  });
}

async function worthKeeping(output: string, used = ''): Promise<Set<number>> {
  const files = await manifestFiles(output);
  const whole = await wholeManifests(files.slice(Math.max(0, files.indexOf(used))));
  const best = Math.max(...whole.map(({ score }) => score ?? -Infinity));
  const kept = [
    ...whole.slice(0, KEPT),
    whole.find(({ score }) => score === best),
    whole.find(isRollbackPoint),
  ].flatMap((manifest) => (manifest ? [numberOf(manifest.arrays.file)] : []));
  return new Set(kept);
}

/** Readable manifests whose arrays have the recorded size, in the same order. */
async function wholeManifests(files: readonly string[]): Promise<CheckpointManifest[]> {
  const whole: CheckpointManifest[] = [];
  for (const file of files) {
    try {
      const manifest = await readManifest(file);
      const { size } = await stat(join(file, '..', manifest.arrays.file));
      if (size === manifest.arrays.bytes) whole.push(manifest);
    } catch {
      continue; // damaged
    }
  }
  return whole;
}

function stemOf(number: number): string {
  return String(number).padStart(8, '0');
}

/** @param file - Name or path of a file of a checkpoint. */
function numberOf(file: string): number {
  return Number.parseInt(basename(file), 10);
}

/** Names of the files in a folder; none if it is missing. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new TrialError(
      'FILE_UNREADABLE',
      {
        where: folder,
        wanted: 'a readable folder',
        found: messageOf(error),
        next: 'Name the output folder of a search',
      },
      error,
    );
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
