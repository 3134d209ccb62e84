/** A study of seconds: two algorithms, two seeds, a table of all eight networks of the tiny space. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { StudyReport } from '../../src/generated/study-report.ts';
import { writeTinySearch, type TinySearch } from '../e2e/support.ts';

const CONFIG = {
  epochs: 3,
  baselinePaths: 4,
  selection: { population: 8, generations: 1, parents: 2, mutations: 2, crossovers: 2 },
};

const NAMES = ['identity', 'mb3_k3'] as const;

/** Every network of the tiny space with an accuracy that grows with its depth. */
const TABLE = Array.from({ length: 8 }, (_, code) => {
  const bits = [4, 2, 1].map((bit) => ((code & bit) > 0 ? 1 : 0));
  const depth = bits.reduce<number>((sum, bit) => sum + bit, 0);
  const arch = bits.map((bit) => NAMES[bit]).join(' ');
  return `${arch},${(0.5 + 0.1 * depth + 0.01 * code).toFixed(2)}`;
});

/** What the file says, each list and number of which a test may change. */
export const STUDY = {
  config: 'trial.yml',
  settings: { boardSize: 4 },
  table: 'table.csv',
  seeds: [1, 2],
  runs: [
    { name: 'cream', algorithm: 'cream' },
    { name: 'random-spos', algorithm: 'spos', 'selection.strategy': 'random' },
  ],
  budgets: [{ maxMacs: 150_000 }],
  output: 'study',
};

/** A study and what it needs, in a temporary folder. */
export type TinyStudy = TinySearch & {
  /** Path of the study's file. */
  readonly file: string;
};

/** Writes a tiny study. The caller removes its folder. */
export async function writeTinyStudy(changes: object = {}): Promise<TinyStudy> {
  const tiny = await writeTinySearch({ ...CONFIG, ...changes });
  writeFileSync(join(tiny.folder, 'table.csv'), ['arch,accuracy', ...TABLE, ''].join('\n'));
  return { ...tiny, file: changedStudy(tiny, 'study', {}) };
}

/** Writes a changed study beside the other, and gives its path. */
export function changedStudy({ folder }: TinySearch, name: string, changes: object): string {
  const file = join(folder, `${name}.yml`);
  writeFileSync(file, stringify({ ...STUDY, ...changes }));
  return file;
}

/** Changes the trial config of a study. */
export function changeTrial({ config }: TinySearch, changes: object): void {
  const present = parse(readFileSync(config, 'utf8')) as object;
  writeFileSync(config, stringify({ ...present, ...changes }));
}

/** A report without the times that it tells. */
export function timeless(report: StudyReport): object {
  const text = JSON.stringify(report, (key, value: unknown) => (key === 'seconds' ? 0 : value));
  return JSON.parse(text) as object;
}
