/** Reads a study's file and checks all of it before its first search. */

import { dirname, join, resolve } from 'node:path';
import studySchema from '../../schemas/study.schema.json' with { type: 'json' };
import { surveyImages } from '../data/survey.ts';
import { parseDocument, readText } from '../foundation/documents.ts';
import { TrialError } from '../foundation/errors.ts';
import { createValidator } from '../foundation/schema.ts';
import type { StudyFile } from '../generated/study.ts';
import { chooseNets } from '../ranking-study/choose.ts';
import type { MacsRange, StudySubject } from '../ranking-study/study.ts';
import { readTable, type TableRow } from '../ranking-study/table.ts';
import { admits, macsBudget } from '../searchspace/budget.ts';
import { feasibility } from '../searchspace/feasibility.ts';
import type { SearchSpace } from '../searchspace/space.ts';
import { changeConfig, PARAMETER_KEYS, parseTrialConfig, type TrialConfig } from './config.ts';
import { settingsOf } from './identity.ts';
import { planSearch, samplingOf } from './search-plan.ts';
import { loadSearchSpace } from './space-files.ts';

/** One search of a study. */
export interface TrialPlan {
  readonly name: string;
  readonly seed: number;
  /** Folder of the search. */
  readonly folder: string;
  /** Values in place of the config's, by dotted key. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** All settings that its numbers depend on. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Multiply-accumulates that its own answer keeps to. */
  readonly budget: MacsRange;
}

/** A checked study. */
export interface StudyPlan {
  /** Path of the trial config. */
  readonly configFile: string;
  /** Path of the table. */
  readonly tableFile: string;
  /** Folder of the study. */
  readonly output: string;
  readonly subject: StudySubject;
  /** Budgets beside that of the searches. */
  readonly budgets: readonly MacsRange[];
  /** In the order of their work: all runs of a seed, then those of the next. */
  readonly trials: readonly TrialPlan[];
}

const parseStudyFile = createValidator<StudyFile>({
  schema: studySchema,
  code: 'CONFIG_INVALID',
  noun: 'a study',
  next: 'Correct the values; schemas/study.schema.json describes them',
});

/**
 * Reads a study, its config, space and table, surveys its images, and plans every search.
 *
 * @param output - In place of the file's.
 * @throws TrialError what any of the searches, or their rank studies, would end with before training.
 */
export async function planStudy(file: string, output?: string): Promise<StudyPlan> {
  const study = parseStudyFile(parseDocument(await readText(file), file, 'CONFIG_INVALID'), file);
  const [configFile, tableFile] = [study.config, study.table].map((path) =>
    resolve(dirname(file), path),
  ) as [string, string];
  const base = parseTrialConfig(await readText(configFile), configFile);
  const space = await loadSearchSpace(base);
  const rows = readTable(space, await readText(tableFile), tableFile);
  const nets = chooseNets(rows, study.nets ?? rows.length, study.rankSeed).length;
  const budgets = study.budgets.map(({ minMacs: min, maxMacs: max }) => ({ min, max }));
  checkBudgets({ space, rows, budgets }, file);
  const runs = runsOf(study, file);
  const folder = output ?? resolve(dirname(file), study.output);
  const trials = study.seeds.flatMap((seed) =>
    runs.map((run) => planTrial(base, { ...run, seed, folder }, file)),
  );
  await checkSearches(trials, space);
  return {
    configFile,
    tableFile,
    output: folder,
    subject: {
      space,
      table: { file: study.table, rows },
      rankSeed: study.rankSeed,
      nets,
      planned: trials.length,
      runs: runs.map(({ name, settings }) => ({ name, settings })),
    },
    budgets,
    trials: trials.map(({ config: _, ...trial }) => trial),
  };
}

function invalid(where: string, wanted: string, found: string): TrialError {
  return new TrialError('CONFIG_INVALID', { where, wanted, found, next: 'Correct the study' });
}

/** A run with all the values that it sets, those for all runs included. */
interface StudySettings {
  readonly name: string;
  readonly settings: StudyFile['settings'];
}

function runsOf({ runs, settings: common }: StudyFile, file: string): readonly StudySettings[] {
  const names = runs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw invalid(`${file}: runs`, 'names that differ', `"${twice}" twice`);
  return runs.map(({ name, ...own }) => {
    const settings = { ...common, ...own } as StudyFile['settings'];
    for (const key of Object.keys(settings)) checkKey(key, `${file}: run "${name}"`);
    return { name, settings };
  });
}

/** The seeds have a list of their own; what names other files would make runs that cannot be compared. */
function checkKey(key: string, where: string): void {
  const allowed = PARAMETER_KEYS.filter((each) => each !== 'seed');
  if (!allowed.includes(key))
    throw invalid(where, `config keys: ${allowed.join(', ')}`, `"${key}"`);
}

function planTrial(
  base: TrialConfig,
  { name, settings, seed, folder }: StudySettings & { seed: number; folder: string },
  file: string,
): TrialPlan & { readonly config: TrialConfig } {
  const parameters = { ...settings, seed };
  const changed = { ...parameters, task: 'search' };
  const config = changeConfig(base, changed, `${file}: run "${name}"`);
  return {
    name,
    seed,
    folder: join(folder, `${name}-${seed}`),
    parameters,
    settings: settingsOf(config),
    budget: { min: config.minMacs, max: config.maxMacs ?? Infinity },
    config,
  };
}

/** @throws TrialError as a search would before it opens its images. */
async function checkSearches(
  trials: readonly { readonly config: TrialConfig }[],
  space: SearchSpace,
): Promise<void> {
  const surveys = new Map<string, Awaited<ReturnType<typeof surveyImages>>>();
  for (const { config } of trials) {
    feasibility(space, samplingOf(config, space).budget);
    const { path, format } = config.data;
    const key = `${format} ${path}`;
    const survey = surveys.get(key) ?? (await surveyImages(path, format));
    surveys.set(key, survey);
    planSearch(config, space, survey);
  }
}

/** @throws TrialError CONFIG_INVALID when the table knows no network of a budget. */
function checkBudgets(
  {
    space,
    rows,
    budgets,
  }: {
    readonly space: SearchSpace;
    readonly rows: readonly TableRow[];
    readonly budgets: readonly MacsRange[];
  },
  file: string,
): void {
  for (const { min: minMacs, max: maxMacs } of budgets) {
    const budget = macsBudget(space, { minMacs, maxMacs });
    if (rows.some(({ path }) => admits(budget, path))) continue;
    const found = `none from ${minMacs} to ${maxMacs} MACs`;
    throw invalid(`${file}: budgets`, 'networks of the table within each', found);
  }
}
