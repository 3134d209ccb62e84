/** Tables of true accuracies, for comparison with scores. */
import tableSchema from '../../schemas/architecture-table.schema.json' with { type: 'json' };
import { messageOf, TrialError } from '../foundation/errors.ts';
import { createValidator } from '../foundation/schema.ts';
import type { ArchitectureTable } from '../generated/architecture-table.ts';
import { canonicalPath } from '../searchspace/canonical.ts';
import { pathKey, pathOfCode, pathOfNames } from '../searchspace/path.ts';
import type { Path, SearchSpace } from '../searchspace/space.ts';

/** One network and the accuracy that it reached when it was trained on its own. */
export interface TableRow {
  /** The canonical path of the network. */
  readonly path: Path;
  /** Fraction. */
  readonly accuracy: number;
}

/** A row as it stands in the file. */
interface Entry {
  readonly arch: string;
  /** As written: a fraction or a percentage. */
  readonly accuracy: number;
  readonly where: string;
}

const COLUMNS = ['arch', 'accuracy'] as const;

const parseTable = createValidator<ArchitectureTable>({
  schema: tableSchema,
  code: 'TABLE_INVALID',
  noun: 'a table of trained networks',
  next: 'Correct the table; schemas/architecture-table.schema.json describes it',
});

function invalid(where: string, wanted: string, found: string): TrialError {
  return new TrialError('TABLE_INVALID', { where, wanted, found, next: 'Correct the table' });
}

function entriesOfJson(text: string, where: string): readonly Entry[] {
  let table: unknown;
  try {
    table = JSON.parse(text);
  } catch (cause) {
    throw invalid(where, 'JSON', messageOf(cause));
  }
  return Object.entries(parseTable(table, where)).map(([arch, { mean_acc: accuracy }]) => {
    return { arch, accuracy, where: `${where}: "${arch}"` };
  });
}

/** Cells of one line; none of our columns holds a comma or a quote. */
function cellsOf(line: string): readonly string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

function numberOf(cell: string, where: string): number {
  const value = cell === '' ? NaN : Number(cell);
  if (value >= 0 && value <= 100) return value;
  throw invalid(where, 'an accuracy: a fraction, or a percentage without its sign', `"${cell}"`);
}

function entriesOfCsv(text: string, where: string): readonly Entry[] {
  const lines = text.split(/\r?\n/).map((line, i) => ({ line, where: `${where} line ${i + 1}` }));
  const [header, ...rows] = lines.filter(({ line }) => line.trim() !== '');
  const names = cellsOf(header?.line ?? '');
  const [archAt, accuracyAt] = COLUMNS.map((column) => names.indexOf(column)) as [number, number];
  if (archAt < 0 || accuracyAt < 0) {
    const wanted = 'JSON, or CSV whose first line names the columns arch and accuracy';
    throw invalid(header?.where ?? where, wanted, JSON.stringify(header?.line ?? ''));
  }
  return rows.map(({ line, where: at }) => {
    const cells = cellsOf(line);
    const accuracy = numberOf(cells[accuracyAt] ?? '', at);
    return { arch: cells[archAt] ?? '', accuracy, where: at };
  });
}

/** A digit code, or the names of a path's operations with spaces between. */
function pathOfArch(space: SearchSpace, { arch, where }: Entry): Path {
  return /^\d+$/.test(arch)
    ? pathOfCode(space, arch, where)
    : pathOfNames(space, arch.split(/\s+/), where);
}

/** One row a network; rows that are the same network have the mean of their accuracies. */
function mergeTwins(space: SearchSpace, entries: readonly Entry[]): readonly TableRow[] {
  const networks = new Map<string, { path: Path; accuracies: number[] }>();
  for (const entry of entries) {
    const path = canonicalPath(space, pathOfArch(space, entry));
    const known = networks.get(pathKey(path));
    if (known === undefined) networks.set(pathKey(path), { path, accuracies: [entry.accuracy] });
    else known.accuracies.push(entry.accuracy);
  }
  const isPercent = entries.some(({ accuracy }) => accuracy > 1);
  return [...networks.values()].map(({ path, accuracies }) => {
    const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
    return { path, accuracy: isPercent ? mean / 100 : mean };
  });
}

/**
 * Reads a table of trained networks: JSON in the form of NAS-Bench-Macro, or CSV with the columns
 * `arch` (a digit code, or names such as `mb3_k3 identity`) and `accuracy`; other columns are passed
 * over. Accuracies are percentages where one of them is above 1.
 *
 * @param text - Content of the file.
 * @param where - The file, for errors.
 * @returns Each network once, however many paths of it the table has; the same text gives the same
 *   order.
 * @throws TrialError TABLE_INVALID; ARCHITECTURE_INVALID where a row is no path of the space.
 */
export function readTable(space: SearchSpace, text: string, where: string): readonly TableRow[] {
  const content = text.replace(/^\uFEFF/, '');
  const isJson = content.trimStart().startsWith('{');
  const entries = isJson ? entriesOfJson(content, where) : entriesOfCsv(content, where);
  const rows = mergeTwins(space, entries);
  if (rows.length >= 2) return rows;
  const found = entries.length > 1 ? `${entries.length} paths of one` : `${entries.length}`;
  throw invalid(where, 'at least two different networks', found);
}
