import { TrialError, type ErrorCode } from '../foundation/errors.ts';
import { macsBudget, OPEN_BUDGET, type Budget } from '../searchspace/budget.ts';
import { feasibility, type Feasibility } from '../searchspace/feasibility.ts';
import { fullSpace, parseNasSpace, parseSkeleton } from '../searchspace/parse.ts';
import { spaceSize } from '../searchspace/path.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { checkPrior, parseTrialConfig } from '../tasks/config.ts';
import { parseDocument, readText } from '../foundation/documents.ts';
import { loadSearchSpace } from '../tasks/space-files.ts';
import { parseResult } from '../run-folder/result.ts';
import { oneLine } from './one-line.ts';

/** What was found about one file. */
export type LintedFile =
  | { readonly file: string; readonly ok: true; readonly summary: string }
  | {
      readonly file: string;
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
    };

/** What a file is, told by keys that only its kind has. */
type Kind = 'skeleton' | 'config' | 'result' | 'space';

const TELLING_KEYS: readonly (readonly [Kind, readonly string[]])[] = [
  ['result', ['format', 'best']],
  ['skeleton', ['stages', 'stem', 'head', 'candidates']],
  ['config', ['skeleton', 'space', 'epochs', 'batchSize']],
];

function kindOf(document: unknown, file: string): Kind {
  const keys = typeof document === 'object' && document !== null ? Object.keys(document) : [];
  const told = TELLING_KEYS.find(([, telling]) => telling.some((key) => keys.includes(key)));
  if (told) return told[0];
  if (keys.length > 0 && JSON.stringify(document).includes('"_type"')) return 'space';
  throw new TrialError('USAGE', {
    where: file,
    wanted: 'a trial config, a network skeleton, an NNI search space or a result',
    found: keys.length > 0 ? `keys ${keys.join(', ')}` : JSON.stringify(document),
    next: 'Name a file of one of these kinds',
  });
}

function describe(space: SearchSpace, budget: Budget): string {
  const { smallest, largest, share, shareInterval, exact }: Feasibility = feasibility(
    space,
    budget,
  );
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
  const [low, high] = shareInterval;
  const inside = exact ? percent(share) : `${percent(low)} to ${percent(high)}`;
  return (
    `${spaceSize(space)} networks of "${space.name}" with ${smallest.macs} to ${largest.macs} ` +
    `multiply-accumulates, ${inside} inside the budget`
  );
}

async function lintConfig(text: string, file: string): Promise<string> {
  const config = parseTrialConfig(text, file);
  const space = await loadSearchSpace(config);
  checkPrior(space, config.prior);
  const { minMacs, maxMacs = Infinity } = config;
  return `trial config: ${describe(space, macsBudget(space, { minMacs, maxMacs }))}`;
}

async function summarize(file: string): Promise<string> {
  const text = await readText(file);
  const document = parseDocument(text, file, 'CONFIG_INVALID');
  switch (kindOf(document, file)) {
    case 'config':
      return lintConfig(text, file);
    case 'skeleton': {
      const space = fullSpace(parseSkeleton(document, file));
      return `skeleton: ${describe(space, OPEN_BUDGET)}`;
    }
    case 'space':
      return `search space: ${parseNasSpace(document, file).size} labels`;
    case 'result':
      return `result: best of ${parseResult(document, file).board.length} on the board`;
  }
}

async function lintFile(file: string): Promise<LintedFile> {
  try {
    return { file, ok: true, summary: await summarize(file) };
  } catch (thrown) {
    if (!(thrown instanceof TrialError)) throw thrown;
    return { file, ok: false, code: thrown.code, message: oneLine(thrown.message) };
  }
}

/**
 * Checks trial configs, network skeletons, NNI search spaces and results; a config together with
 * the two files that it names and its budget.
 */
export async function lintFiles(files: readonly string[]): Promise<readonly LintedFile[]> {
  const linted: LintedFile[] = [];
  for (const file of files) linted.push(await lintFile(file));
  return linted;
}

/** One line a file. */
export function renderLint(linted: readonly LintedFile[]): string {
  return linted
    .map((each) =>
      each.ok ? `ok    ${each.file}: ${each.summary}` : `error ${each.message} [${each.code}]`,
    )
    .join('\n');
}
