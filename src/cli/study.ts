/** A study: searches, rank studies and selections one after another, and one report of them all. */

import { basename, extname, isAbsolute, join } from 'node:path';
import { writeAtomically } from '../foundation/atomic-file.ts';
import { parseDocument, readText } from '../foundation/documents.ts';
import { TrialError } from '../foundation/errors.ts';
import { exists, makeFolder } from '../foundation/files.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Validator } from '../foundation/schema.ts';
import type { Evaluation } from '../generated/evaluation.ts';
import type { RankReport } from '../generated/rank.ts';
import type { SearchResult } from '../generated/result.ts';
import type { StudyReport } from '../generated/study-report.ts';
import { chooseNets } from '../ranking-study/choose.ts';
import {
  studyReport,
  type MacsRange,
  type PickedNet,
  type TrialRecord,
} from '../ranking-study/study.ts';
import { studyPlot } from '../ranking-study/study-plot.ts';
import { studyCsv, studyMarkdown } from '../ranking-study/study-text.ts';
import { RESULT_FILE } from '../run-folder/artifacts.ts';
import { differingKeys } from '../run-folder/checkpoint/identity.ts';
import { manifestFiles, readManifest } from '../run-folder/checkpoint/store.ts';
import { parseResult } from '../run-folder/result.ts';
import {
  EVALUATION_FILE,
  parseEvaluation,
  parseRankReport,
  parseStudyReport,
  RANK_FILES,
  STUDY_FILES,
} from '../run-folder/study-result.ts';
import { pathText } from '../searchspace/path.ts';
import { planStudy, type StudyPlan, type TrialPlan } from '../tasks/study-plan.ts';
import type { TaskOptions } from './resume.ts';
import { inheritance } from './resume.ts';

/** Name of the settings of a trial, within the folder of its search. */
const SETTINGS_FILE = 'settings.json';

/** What the command line says. */
export interface StudyRequest {
  /** The study's file. */
  readonly file: string;
  /** Folder of the study, in place of the file's. */
  readonly output?: string | undefined;
  /** Page that takes the tables, the plot beside it. */
  readonly write?: string | undefined;
  /** Values for every task that change no number, such as the engine. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** The process that a study runs in. */
export interface StudyHost {
  /** Runs one task to its end. */
  readonly run: (options: TaskOptions) => Promise<unknown>;
  readonly logger: Logger;
}

/**
 * Runs what is left of a study. The report is written anew after every trial; what was cut off goes on
 * by the same call.
 *
 * @throws TrialError of the first task that fails; CHECKPOINT_MISMATCH when the folder holds trials of
 *   other settings.
 */
export async function runStudy(request: StudyRequest, host: StudyHost): Promise<StudyReport> {
  const plan = await planStudy(request.file, request.output);
  // Hours before it is written.
  if (request.write !== undefined) await partsOf(request.write);
  for (const trial of plan.trials) await checkFolder(trial);
  let ran = 0;
  const counting: StudyHost = { ...host, run: (task) => (ran++, host.run(task)) };
  const records: TrialRecord[] = [];
  for (const [i, trial] of plan.trials.entries()) {
    const title = `trial ${i + 1} of ${plan.trials.length}: ${basename(trial.folder)}`;
    const before = ran;
    records.push(await finishTrial(trial, { ...request, plan, title }, counting));
    if (ran > before) await writeReport(plan, records, request.file);
  }
  const report = await writeReport(plan, records, request.file);
  if (request.write !== undefined) await writePage(request.write, report, commandOf(request.file));
  return report;
}

/** The same for everyone who repeats it, wherever the file lies. */
function commandOf(file: string): string {
  return `nni-cream study ${isAbsolute(file) ? basename(file) : file}`;
}

/** Refuses a folder of the same name with other settings. @throws TrialError CHECKPOINT_MISMATCH */
async function checkFolder({ folder, settings }: TrialPlan): Promise<void> {
  const file = join(folder, SETTINGS_FILE);
  if (!(await exists(file))) return;
  const saved = parseDocument(await readText(file), file, 'CONFIG_INVALID') as typeof settings;
  const keys = differingKeys(saved, settings);
  if (keys.length === 0) return;
  const list = (values: typeof settings): string =>
    keys.map((key) => `${key} = ${JSON.stringify(values[key])}`).join(', ');
  throw new TrialError('CHECKPOINT_MISMATCH', {
    where: file,
    wanted: list(saved),
    found: list(settings),
    next: 'Set these back, name another output, or remove the folder of this trial',
  });
}

interface TrialContext extends StudyRequest {
  readonly plan: StudyPlan;
  readonly title: string;
}

/** Does what is left of one trial. */
async function finishTrial(
  trial: TrialPlan,
  context: TrialContext,
  host: StudyHost,
): Promise<TrialRecord> {
  const { name, seed, folder, budget } = trial;
  const result = await search(trial, context, host);
  const rank = await rankNets(trial, context, host);
  const picked = [ownAnswer(result, budget)];
  for (const each of context.plan.budgets) {
    picked.push(await selectWithin(each, trial, context, host));
  }
  const randomAccuracy = result.baselines.randomPaths?.mean ?? null;
  return { name, seed, ...(await trainingOf(folder)), randomAccuracy, rank, picked };
}

async function search(
  { folder, parameters, settings }: TrialPlan,
  { plan, title, overrides }: TrialContext,
  { run, logger }: StudyHost,
): Promise<SearchResult> {
  const file = join(folder, RESULT_FILE);
  const settingsFile = join(folder, SETTINGS_FILE);
  const known = (await exists(settingsFile)) ? await readIfWhole(file, parseResult) : null;
  if (known !== null) return known;
  logger.log('info', `${title}: search`);
  await makeFolder(folder);
  await writeAtomically(settingsFile, `${JSON.stringify(settings, null, 2)}\n`);
  await run({
    configFile: plan.configFile,
    parameters,
    overrides: { ...overrides, task: 'search' },
    output: folder,
    present: 'refuse-result',
  });
  return read(file, parseResult);
}

async function rankNets(
  { folder }: TrialPlan,
  { plan, title, overrides }: TrialContext,
  { run, logger }: StudyHost,
): Promise<RankReport> {
  const { configFile: config, tableFile, subject } = plan;
  const output = join(folder, 'rank');
  const file = join(output, RANK_FILES.report);
  const known = await readIfWhole(file, parseRankReport);
  if (known !== null && isOf(subject, known)) return known;
  logger.log('info', `${title}: rank`);
  const options = await inheritance(folder, { task: 'rank', output, config });
  const { rankSeed, nets } = subject;
  const chosen = { 'rank.table': tableFile, 'rank.nets': nets, 'rank.seed': rankSeed };
  await run({ ...options, overrides: { ...options.overrides, ...overrides, ...chosen } });
  return read(file, parseRankReport);
}

/** Whether a report is of the study's networks and of what its table now says of them. */
function isOf({ space, table, rankSeed, nets }: StudyPlan['subject'], report: RankReport): boolean {
  const netText = (arch: string, accuracy: number): string => `${arch} ${accuracy}`;
  const chosen = chooseNets(table.rows, nets, rankSeed).map(({ path, accuracy }) =>
    netText(pathText(space, path), accuracy),
  );
  const ranked = new Set(report.nets.map((net) => netText(net.arch, net.trueAccuracy)));
  const isWhole = ranked.size === chosen.length && chosen.every((net) => ranked.has(net));
  return report.seed === rankSeed && isWhole;
}

function ownAnswer({ best }: SearchResult, budget: MacsRange): PickedNet {
  return { budget, arch: best.path, macs: best.macs, accuracy: best.score };
}

async function selectWithin(
  budget: MacsRange,
  { folder }: TrialPlan,
  { plan, title, overrides }: TrialContext,
  { run, logger }: StudyHost,
): Promise<PickedNet> {
  const output = join(folder, `select-${budget.min}-${budget.max}`);
  const file = join(output, EVALUATION_FILE);
  let evaluation: Evaluation | null = await readIfWhole(file, parseEvaluation);
  if (evaluation === null) {
    logger.log('info', `${title}: select from ${budget.min} to ${budget.max} MACs`);
    const config = plan.configFile;
    const options = await inheritance(folder, { task: 'select', output, config });
    const chosen = {
      minMacs: budget.min,
      maxMacs: budget.max,
      'selection.strategy': 'evolution',
    };
    await run({ ...options, overrides: { ...options.overrides, ...overrides, ...chosen } });
    evaluation = await read(file, parseEvaluation);
  }
  const { arch, macs, accuracy } = evaluation;
  return { budget, arch: arch.path, macs, accuracy };
}

/** Cost of the training, as of the newest checkpoint. */
async function trainingOf(folder: string): Promise<Pick<TrialRecord, 'images' | 'seconds'>> {
  const [newest = folder] = await manifestFiles(folder);
  const { time, reports } = (await readManifest(newest)).state;
  return { images: reports.at(-1)?.['imagesSeen'] ?? 0, seconds: time.trainingMs / 1000 };
}

async function read<T>(file: string, parse: Validator<T>): Promise<T> {
  return parse(parseDocument(await readText(file), file, 'ARCHITECTURE_INVALID'), file);
}

/** Null where the file is missing or damaged: then its task is due. */
async function readIfWhole<T>(file: string, parse: Validator<T>): Promise<T | null> {
  if (!(await exists(file))) return null;
  return read(file, parse).catch((thrown: unknown) => {
    if (thrown instanceof TrialError && thrown.code === 'ARCHITECTURE_INVALID') return null;
    throw thrown;
  });
}

/** Writes the files of the study; returns the report. */
async function writeReport(
  { output, subject }: StudyPlan,
  records: readonly TrialRecord[],
  file: string,
): Promise<StudyReport> {
  const path = join(output, STUDY_FILES.report);
  const report = parseStudyReport(studyReport(subject, records), path);
  const origin = { command: commandOf(file), plot: STUDY_FILES.plot };
  await writeAtomically(join(output, STUDY_FILES.csv), studyCsv(report));
  await writeAtomically(join(output, STUDY_FILES.plot), studyPlot(report));
  await writeAtomically(join(output, STUDY_FILES.page), studyMarkdown(report, origin));
  await writeAtomically(path, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** Lines of a page between which the tables stand. */
const BEGIN = '<!-- study: begin -->';
const END = '<!-- study: end -->';

/**
 * The parts of a page before and after the tables.
 *
 * @throws TrialError USAGE when it has no place for them; FILE_UNREADABLE
 */
async function partsOf(page: string): Promise<readonly [before: string, after: string]> {
  const text = await readText(page);
  const [begin, end] = [text.indexOf(`${BEGIN}\n`), text.indexOf(END)];
  if (begin >= 0 && end > begin) return [text.slice(0, begin), text.slice(end)];
  throw new TrialError('USAGE', {
    where: page,
    wanted: `a page with the lines ${BEGIN} and ${END}`,
    found: 'not both of them, in this order',
    next: 'Add both lines where the tables are to stand',
  });
}

/** Puts the tables into a page, and the plot beside it. */
async function writePage(page: string, report: StudyReport, command: string): Promise<void> {
  const [before, after] = await partsOf(page);
  const plot = `${page.slice(0, page.length - extname(page).length)}.svg`;
  const tables = studyMarkdown(report, { command, plot: basename(plot) });
  const kept = ['<!-- prettier-ignore-start -->', '', tables, '<!-- prettier-ignore-end -->'];
  await writeAtomically(plot, studyPlot(report));
  await writeAtomically(page, `${before}${[BEGIN, '', ...kept, ''].join('\n')}\n${after}`);
}
