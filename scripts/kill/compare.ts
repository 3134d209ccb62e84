/** Whether two searches ended with the same: all that is not a measurement of time. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { CheckpointManifest } from '../../src/generated/checkpoint.ts';
import { manifestFiles } from '../../src/run-folder/checkpoint/store.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from '../../src/run-folder/history.ts';

/** Keys of what the wall clock decides. */
const TIMES = ['time', 'ms', 'imagesPerSecond', 'costShares'];

/** Files that are the same, or are in neither folder. */
const SAME_BYTES = ['bad_samples.txt', UNDELIVERED_FILE, 'lock.json'];

/** Names of what is not the same in the output folders of two finished searches. */
export async function differences(one: string, other: string): Promise<string[]> {
  const [a, b] = await Promise.all([contentsOf(one), contentsOf(other)]);
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].filter((name) => !isDeepStrictEqual(a.get(name), b.get(name)));
}

/** Everything that the rest of a search, and its reader, depend on, by name. */
async function contentsOf(folder: string): Promise<Map<string, unknown>> {
  const [newest] = await manifestFiles(folder);
  if (newest === undefined) throw new Error(`${folder} holds no checkpoint`);
  const { arrays, run, state } = parseTimeless(readFileSync(newest, 'utf8')) as CheckpointManifest;
  const contents = new Map<string, unknown>([
    ['arrays of the newest checkpoint', readFileSync(join(newest, '..', arrays.file))],
    ['run of the newest checkpoint', run],
    ['files of an unfinished save', unfinishedFiles(folder)],
    ['result.json', parseTimeless(readFileSync(join(folder, 'result.json'), 'utf8'))],
  ]);
  for (const [key, value] of Object.entries(state)) {
    contents.set(`${key} of the newest checkpoint`, value);
  }
  linesOf(folder).forEach((line, i) => contents.set(`line ${i + 1} of ${METRICS_FILE}`, line));
  const files = readdirSync(join(folder, 'nas')).map((name) => join('nas', name));
  for (const name of [...files, ...SAME_BYTES]) {
    const file = join(folder, name);
    if (existsSync(file)) contents.set(name, readFileSync(file));
  }
  return contents;
}

/** Files of a save that has not come to its end: temporary ones, and arrays without a manifest. */
function unfinishedFiles(folder: string): string[] {
  const checkpoints = join(folder, 'checkpoints');
  const names = existsSync(checkpoints) ? readdirSync(checkpoints) : [];
  return names.filter(
    (name) => name.endsWith('.partial') || !names.includes(name.replace(/\..*$/, '.json')),
  );
}

/** When the youngest of these files was written, in milliseconds of the epoch; 0 without any. */
export function unfinishedAtMs(folder: string): number {
  const files = unfinishedFiles(folder).map((name) => join(folder, 'checkpoints', name));
  return Math.max(0, ...files.map((file) => statSync(file).mtimeMs));
}

function linesOf(folder: string): unknown[] {
  const lines = readFileSync(join(folder, METRICS_FILE), 'utf8').trim().split('\n');
  return lines.map(parseTimeless);
}

function parseTimeless(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (TIMES.includes(key) ? undefined : value));
}
