/** The reports of a run, one flat JSON object per line, for people and their tables. */

import { join } from 'node:path';
import historySchema from '../../schemas/history.schema.json' with { type: 'json' };
import { writeAtomically } from '../foundation/atomic-file.ts';
import { TrialError } from '../foundation/errors.ts';
import { readJsonLines } from '../foundation/json-lines.ts';
import { floatText, metricEntries, type Metrics } from '../foundation/metrics.ts';
import { createValidator, type Validator } from '../foundation/schema.ts';
import type { HistoryLine } from '../generated/history.ts';

/** Every report of a run, in order; within the output folder. */
export const METRICS_FILE = 'metrics.jsonl';

/** Metrics that NNI lacks, in order; no such file if it has everything. */
export const UNDELIVERED_FILE = 'undelivered-metrics.jsonl';

/** One line. */
export interface HistoryEntry extends Readonly<
  Pick<HistoryLine, 'type' | 'epoch' | 'time' | 'trialJobId' | 'parameterId'>
> {
  readonly metrics: Metrics;
}

const NEXT = 'Restore the file, or start again with --overwrite.';

const parseLine: Validator<HistoryLine> = createValidator({
  schema: historySchema,
  code: 'FILE_UNREADABLE',
  noun: 'lines of schemas/history.schema.json',
  next: NEXT,
});

/**
 * The history of a folder; empty without a file. A torn last line is left out.
 *
 * @throws TrialError FILE_UNREADABLE when the file cannot be read, or has another format.
 */
export async function readHistory(folder: string): Promise<HistoryEntry[]> {
  const file = join(folder, METRICS_FILE);
  const lines = await readJsonLines(file, { noun: 'the reports of this run', next: NEXT });
  return lines.map((line) => entryOf(parseLine(line, file)));
}

/** The history of a folder that this process writes to. */
export class History {
  readonly folder: string;
  #entries: readonly HistoryEntry[];
  #isSaved = true;

  private constructor(folder: string, entries: readonly HistoryEntry[]) {
    this.folder = folder;
    this.#entries = entries;
  }

  /** Reads the entries of earlier processes. @throws TrialError FILE_UNREADABLE */
  static async open(folder: string): Promise<History> {
    return new History(folder, await readHistory(folder));
  }

  /** In the order of recording. */
  get entries(): readonly HistoryEntry[] {
    return this.#entries;
  }

  /** The last reported epoch; 0 without any. */
  get lastEpoch(): number {
    return this.#entries.findLast(({ type }) => type === 'epoch')?.epoch ?? 0;
  }

  /**
   * Adds an entry. The next {@link save} writes it.
   *
   * @throws TrialError METRIC_INVALID when a metric has the name of another field.
   */
  add(entry: HistoryEntry): void {
    const taken = Object.keys(entry.metrics).filter((name) => FIELDS.has(name));
    if (taken.length > 0) throw nameTaken(taken);
    this.replace([...this.#entries, entry]);
  }

  /** Replaces all entries. The next {@link save} writes them. */
  replace(entries: readonly HistoryEntry[]): void {
    this.#entries = entries;
    this.#isSaved = false;
  }

  /** Writes unsaved entries. @throws TrialError FILE_UNWRITABLE */
  async save(): Promise<void> {
    if (this.#isSaved) return;
    const entries = this.#entries;
    const text = entries.map((entry) => `${lineOf(entry)}\n`).join('');
    await writeAtomically(join(this.folder, METRICS_FILE), text);
    this.#isSaved = entries === this.#entries;
  }
}

/** Names that no metric may have. */
const FIELDS: ReadonlySet<string> = new Set(['type', 'epoch', 'time', 'trialJobId', 'parameterId']);

function nameTaken(names: readonly string[]): TrialError {
  return new TrialError('METRIC_INVALID', {
    where: METRICS_FILE,
    wanted: `metrics with other names than ${[...FIELDS].join(', ')}`,
    found: names.join(', '),
    next: 'Rename them in the algorithm or task that reports them.',
  });
}

function lineOf({ type, epoch, time, metrics, trialJobId, parameterId }: HistoryEntry): string {
  const head = JSON.stringify({ type, epoch, time }).slice(0, -1);
  const numbers = metricEntries(metrics).map(
    ([name, value]) => `${JSON.stringify(name)}:${floatText(value)}`,
  );
  const tail = JSON.stringify({ trialJobId, parameterId }).slice(1);
  return [head, ...numbers, tail].join(',');
}

function entryOf(line: HistoryLine): HistoryEntry {
  const { type, epoch, time, trialJobId, parameterId, ...numbers } = line;
  // The schema requires numbers; TypeScript cannot express that.
  return { type, epoch, time, trialJobId, parameterId, metrics: numbers as Metrics };
}
