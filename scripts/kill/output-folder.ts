/** What a search has left in its output folder, read from outside. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A line of metrics.jsonl. */
export interface MetricLine {
  readonly type: 'PERIODICAL' | 'FINAL';
  readonly sequence: number;
  /** JSON text, as NNI gets it. */
  readonly value: string;
}

const MANIFEST = /^(\d{8})\.json$/;

/** Names in the folder of the checkpoints; none when it does not exist. */
export function checkpointFiles(folder: string): string[] {
  const checkpoints = join(folder, 'checkpoints');
  return existsSync(checkpoints) ? readdirSync(checkpoints) : [];
}

/** Step of the newest whole checkpoint; null when there is none. */
export function newestStep(folder: string): number | null {
  const steps = checkpointFiles(folder).flatMap((name) => MANIFEST.exec(name)?.[1] ?? []);
  return steps.length === 0 ? null : Math.max(...steps.map(Number));
}

/** Path of a checkpoint's file. */
export function checkpointFile(folder: string, step: number, suffix: 'json' | 'safetensors'): string {
  return join(folder, 'checkpoints', `${String(step).padStart(8, '0')}.${suffix}`);
}

/** Whether the process that wrote here ended in the middle of a save. */
export function isSaveUnfinished(folder: string): boolean {
  const names = checkpointFiles(folder);
  return names.some(
    (name) =>
      name.endsWith('.partial') ||
      (name.endsWith('.safetensors') && !names.includes(name.replace('.safetensors', '.json'))),
  );
}

/** All metrics of the run, in order. */
export function readMetrics(folder: string): MetricLine[] {
  const file = join(folder, 'metrics.jsonl');
  if (!existsSync(file)) return [];
  // A line without an end was being written when the process was killed.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as MetricLine);
}
