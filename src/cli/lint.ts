import { TrialError, type ErrorCode } from '../foundation/errors.ts';
import { OPEN_BUDGET } from '../searchspace/budget.ts';
import { feasibility } from '../searchspace/feasibility.ts';
import { fullSpace, parseNasSpace, parseSkeleton } from '../searchspace/parse.ts';
import { spaceSize } from '../searchspace/path.ts';
import type { SamplerOptions } from '../searchspace/sampler.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { surveyImages } from '../data/survey.ts';
import { planSearch, samplingOf } from '../tasks/search-plan.ts';
import { parseTrialConfig } from '../tasks/config.ts';
import { planStudy } from '../tasks/study-plan.ts';
import { parseDocument, readText } from '../foundation/documents.ts';
import { loadSearchSpace } from '../tasks/space-files.ts';
import { parseResult } from '../run-folder/result.ts';
import { oneLine } from './one-line.ts';

/** What was found about one file. */
export type LintedFile =
  | {
      readonly file: string;
      readonly ok: true;
      readonly summary: string;
      /** Legal settings that may be mistakes. */
      readonly warnings: readonly string[];
    }
  | {
      readonly file: string;
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
    };

/** Kinds of files, recognised by keys that only that kind has. */
type Kind = 'skeleton' | 'config' | 'result' | 'study' | 'space';

const TELLING_KEYS: readonly (readonly [Kind, readonly string[]])[] = [
  ['result', ['format', 'best']],
  ['skeleton', ['stages', 'stem', 'head', 'candidates']],
  ['study', ['runs', 'seeds']],
  ['config', ['skeleton', 'space', 'epochs', 'batchSize']],
];

function kindOf(document: unknown, file: string): Kind {
  const isList = Array.isArray(document);
  const keys = isList || !(document instanceof Object) ? [] : Object.keys(document);
  const told = TELLING_KEYS.find(([, telling]) => telling.some((key) => keys.includes(key)));
  if (told) return told[0];
  if (keys.length > 0 && JSON.stringify(document).includes('"_type"')) return 'space';
  throw new TrialError('USAGE', {
    where: file,
    wanted: 'a trial config, a network skeleton, an NNI search space, a result or a study',
    found: keys.length > 0 ? keysText(keys) : kindText(document),
    next: 'Name a file of one of these kinds',
  });
}

/** Limits on the keys of an unknown document that are printed: it may hold secrets. */
const KEYS_SHOWN = 5;
const KEY_CHARACTERS = 30;

function keysText(keys: readonly string[]): string {
  const shown = keys
    .slice(0, KEYS_SHOWN)
    .map((key) => (key.length > KEY_CHARACTERS ? `${key.slice(0, KEY_CHARACTERS)}…` : key));
  const more = keys.length - shown.length;
  return `keys ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Describes a document without keys, never by its content. */
function kindText(document: unknown): string {
  if (typeof document === 'string') return `a text of ${document.length} characters`;
  if (Array.isArray(document)) return `a list of ${document.length}`;
  if (document instanceof Object) return 'no keys';
  return document === null ? 'nothing' : `a ${typeof document}`;
}

function describe(space: SearchSpace, { budget, prior }: SamplerOptions): string {
  const report = feasibility(space, budget, prior);
  const { smallest, largest, params, share, shareInterval, exact } = report;
  const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
  const [low, high] = shareInterval;
  const inside = exact ? percent(share) : `${percent(low)} to ${percent(high)}`;
  return (
    `${spaceSize(space)} networks of "${space.name}" with ${smallest.macs} to ${largest.macs} ` +
    `multiply-accumulates and ${params[0]} to ${params[1]} parameters, ${inside} inside the budget`
  );
}

/**
 * Checks a trial config, and the files and images that it names, as a search does before training.
 *
 * @throws TrialError as the search would.
 */
export async function checkConfigFile(file: string): Promise<Finding> {
  return lintConfig(await readText(file), file);
}

async function lintConfig(text: string, file: string): Promise<Finding> {
  const config = parseTrialConfig(text, file);
  const space = await loadSearchSpace(config);
  const sampling = samplingOf(config, space);
  const networks = describe(space, sampling);
  const survey = await surveyImages(config.data.path, config.data.format);
  planSearch(config, space, survey, sampling);
  const { classes, trainImages, testImages, warnings } = survey;
  const images = `${trainImages} training and ${testImages} test images of ${classes.length} classes`;
  return { summary: `trial config: ${networks}; ${images}`, warnings };
}

async function lintStudy(file: string): Promise<Finding> {
  const { trials, subject } = await planStudy(file);
  const summary = `study: ${trials.length} searches, each ranks ${subject.nets} networks`;
  return { summary, warnings: [] };
}

/** Summary of a valid file, with warnings. */
export type Finding = Pick<Extract<LintedFile, { ok: true }>, 'summary' | 'warnings'>;

async function inspect(file: string): Promise<Finding> {
  const text = await readText(file);
  const document = parseDocument(text, file, 'CONFIG_INVALID');
  const kind = kindOf(document, file);
  if (kind === 'config') return lintConfig(text, file);
  if (kind === 'study') return lintStudy(file);
  return { summary: `${KIND_NAMES[kind]}: ${summarize(document, kind, file)}`, warnings: [] };
}

const KIND_NAMES = { skeleton: 'skeleton', space: 'search space', result: 'result' } as const;

function summarize(document: unknown, kind: keyof typeof KIND_NAMES, file: string): string {
  switch (kind) {
    case 'skeleton': {
      const space = fullSpace(parseSkeleton(document, file));
      return describe(space, { budget: OPEN_BUDGET, prior: null });
    }
    case 'space':
      return `${parseNasSpace(document, file).size} labels`;
    case 'result':
      return `best of ${parseResult(document, file).board.length} on the board`;
  }
}

async function lintFile(file: string): Promise<LintedFile> {
  try {
    return { file, ok: true, ...(await inspect(file)) };
  } catch (thrown) {
    if (!(thrown instanceof TrialError)) throw thrown;
    return { file, ok: false, code: thrown.code, message: oneLine(thrown.message) };
  }
}

/**
 * Checks trial configs, network skeletons, NNI search spaces, results and studies. A config is checked
 * as a search does before training, together with the files and images that it names; a study with all
 * of its searches.
 */
export async function lintFiles(files: readonly string[]): Promise<readonly LintedFile[]> {
  const linted: LintedFile[] = [];
  for (const file of files) linted.push(await lintFile(file));
  return linted;
}

/** One line per file, and one per warning. */
export function renderLint(linted: readonly LintedFile[]): string {
  return linted.flatMap(linesOf).join('\n');
}

function linesOf(each: LintedFile): readonly string[] {
  const { file } = each;
  if (each.ok) {
    const warnings = each.warnings.map((warning) => `warning ${file}: ${oneLine(warning)}`);
    return [`ok    ${file}: ${each.summary}`, ...warnings];
  }
  // The fault may be in another file, or between two of them.
  const where = each.message.startsWith(`${file}:`) ? '' : `${file}: `;
  return [`error ${where}${each.message} [${each.code}]`];
}
