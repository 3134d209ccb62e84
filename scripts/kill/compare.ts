/** Whether two searches ended with the same: all that is not a measurement of time. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { checkpointFile, newestStep, readMetrics } from './output-folder.ts';

/** One thing that both folders hold. */
export interface Comparison {
  readonly what: string;
  readonly identical: boolean;
}

/** Compares the output folders of two finished searches. */
export function compareFolders(one: string, other: string): Comparison[] {
  const same = (what: string, read: (folder: string) => unknown): Comparison => ({
    what,
    identical: isDeepStrictEqual(read(one), read(other)),
  });
  const architectures = [...new Set([one, other].flatMap(architecturesIn))];
  return [
    same('step of the last checkpoint', newestStep),
    same('tensors of the last checkpoint, byte for byte', (folder) =>
      readFileSync(lastCheckpoint(folder, 'safetensors')),
    ),
    same('state in its manifest', (folder) => withoutTimes(readJson(lastCheckpoint(folder, 'json')))),
    same('metrics.jsonl', (folder) => readMetrics(folder).map(withoutSpeed)),
    same('result.json', (folder) => withoutTimes(readJson(join(folder, 'result.json')))),
    same('bad_samples.txt', (folder) => readIfThere(join(folder, 'bad_samples.txt'))),
    ...architectures.map((name) =>
      same(`nas/${name}`, (folder) => readIfThere(join(folder, 'nas', name))),
    ),
  ];
}

function lastCheckpoint(folder: string, suffix: 'json' | 'safetensors'): string {
  const step = newestStep(folder);
  if (step === null) throw new Error(`${folder} holds no checkpoint`);
  return checkpointFile(folder, step, suffix);
}

function architecturesIn(folder: string): string[] {
  return readdirSync(join(folder, 'nas'));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function readIfThere(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** Wall-clock measurements by the name of their key. */
const TIMES = ['costShares', 'time', 'savedAt', 'elapsedMs'];

function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !TIMES.includes(key));
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutTimes(inner)]));
}

function withoutSpeed({ value, ...line }: { readonly value: string }): object {
  const metrics = JSON.parse(value) as Record<string, number>;
  return { ...line, metrics: { ...metrics, imagesPerSecond: null } };
}
