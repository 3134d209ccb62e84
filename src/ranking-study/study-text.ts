/** A study as tables: Markdown for people, CSV for programs. */
import type { Spread, StudyPick, StudyReport, StudyTrial } from '../generated/study-report.ts';
import { aligned, estimateText, percent, SCORE_TITLES } from './render.ts';

const UNKNOWN = '–';

function fraction(value: number | null | undefined): string {
  return value?.toFixed(3) ?? UNKNOWN;
}

/** `0.701 ± 0.012`; without the deviation where there is none. */
function spreadText({ mean, deviation }: Spread, text: (value: number) => string): string {
  if (mean === null) return UNKNOWN;
  return deviation === null ? text(mean) : `${text(mean)} ± ${text(deviation)}`;
}

function minutes(seconds: number): string {
  return (seconds / 60).toFixed(1);
}

function millions(macs: number): string {
  return `${Number((macs / 1e6).toFixed(2))} M`;
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** `3 of 212 (1.4 %)` */
function placeText(place: number | null | undefined, nets: number): string {
  if (place === null || place === undefined) return UNKNOWN;
  return `${place} of ${nets} (${percent(place / nets)})`;
}

function budgetText({ minMacs, maxMacs }: StudyPick): string {
  if (maxMacs === null) return minMacs === 0 ? 'none' : `from ${millions(minMacs)}`;
  return minMacs === 0 ? `to ${millions(maxMacs)}` : `${millions(minMacs)} to ${millions(maxMacs)}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function summaryTable({ runs, floors }: StudyReport): string {
  const rows = runs.map(({ name, trials, summary }) => [
    name,
    String(trials.length),
    spreadText(summary.mainEffectsTau, fraction),
    spreadText(summary.crossEntropyTau, fraction),
    spreadText(summary.accuracyTau, fraction),
    spreadText(summary.randomAccuracy, fraction),
    spreadText(summary.answerAccuracy, fraction),
    spreadText(summary.tableBestTrueAccuracy, (value) => value.toFixed(4)),
    spreadText({ ...summary.images, deviation: null }, grouped),
    spreadText(summary.seconds, minutes),
  ]);
  const floorRows = floors.map(({ name, kendallTau }) => [
    `counting ${SCORE_TITLES[name]}`,
    '',
    fraction(kendallTau),
    ...Array.from({ length: 7 }, () => ''),
  ]);
  const header = [
    'run',
    'seeds',
    'tau by main effects',
    'tau by cross-entropy',
    'tau by accuracy',
    'random paths',
    'answer',
    'best-scored table net, true',
    'image passes',
    'minutes of training',
  ];
  return table(header, [...rows, ...floorRows]);
}

function trialTable({ runs }: StudyReport): string {
  const rows = runs.flatMap(({ name, trials }) =>
    trials.map((trial) => [
      name,
      String(trial.seed),
      estimateText(trial.mainEffectsTau),
      estimateText(trial.crossEntropyTau),
      estimateText(trial.accuracyTau),
      fraction(trial.randomAccuracy),
      grouped(trial.images),
      minutes(trial.seconds),
    ]),
  );
  const header = ['run', 'seed', 'tau by main effects', 'tau by cross-entropy', 'tau by accuracy'];
  return table([...header, 'random paths', 'image passes', 'minutes of training'], rows);
}

function pickTable({ runs }: StudyReport): string {
  const rows = runs.flatMap(({ name, trials }) =>
    trials.flatMap((trial) =>
      trial.picks.map((pick) => [name, String(trial.seed), ...pickCells(pick)]),
    ),
  );
  const header = ['run', 'seed', 'budget', 'answer', 'MACs', 'accuracy', 'true accuracy', 'place'];
  return table([...header, 'best-scored table net, true', 'its place'], rows);
}

function pickCells(pick: StudyPick): readonly string[] {
  const { answer, tableBest, nets } = pick;
  return [
    budgetText(pick),
    `\`${answer.arch}\``,
    millions(answer.macs),
    fraction(answer.accuracy),
    answer.trueAccuracy?.toFixed(4) ?? 'not in the table',
    placeText(answer.place, nets),
    tableBest?.trueAccuracy.toFixed(4) ?? UNKNOWN,
    placeText(tableBest?.place, nets),
  ];
}

/** What was asked, and how to ask again. */
export interface StudyOrigin {
  /** The command that makes the study. */
  readonly command: string;
  /** Path of the plot, as a page links to it. */
  readonly plot: string;
}

/** The study as Markdown without headings: what was done, three tables and the plot. */
export function studyMarkdown(report: StudyReport, { command, plot }: StudyOrigin): string {
  const { space, table: source, rankSeed, trials, runs } = report;
  const settings = runs.map(({ name, settings: own }) => {
    const values = Object.entries(own).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    return `- \`${name}\`: ${values.length === 0 ? 'the config as it is' : `\`${values.join(', ')}\``}`;
  });
  return [
    `\`${command}\``,
    `${trials.finished} of ${trials.planned} trials; ${source.ranked} of the ${source.nets} networks of "${space}" in \`${source.file}\`, drawn with seed ${rankSeed}.`,
    settings.join('\n'),
    'Means over seeds ± standard deviation; tau is Kendall’s tau-b with the true accuracies.',
    summaryTable(report),
    `![Kendall tau by run and by minutes of training](${plot})`,
    'Each trial; intervals are 95 % bootstrap over the networks.',
    trialTable(report),
    'What was picked, by budget. A place counts from the truly best of the networks that the table knows within the budget.',
    pickTable(report),
    '',
  ].join('\n\n');
}

type Row = readonly [name: string, trial: StudyTrial, pick: StudyPick];

const CSV_COLUMNS: Readonly<Record<string, (row: Row) => string | number | null | undefined>> = {
  run: ([name]) => name,
  seed: ([, { seed }]) => seed,
  images: ([, { images }]) => images,
  seconds: ([, { seconds }]) => seconds,
  mainEffectsTau: ([, { mainEffectsTau }]) => mainEffectsTau.value,
  mainEffectsTauLow: ([, { mainEffectsTau }]) => mainEffectsTau.low,
  mainEffectsTauHigh: ([, { mainEffectsTau }]) => mainEffectsTau.high,
  crossEntropyTau: ([, { crossEntropyTau }]) => crossEntropyTau.value,
  crossEntropyTauLow: ([, { crossEntropyTau }]) => crossEntropyTau.low,
  crossEntropyTauHigh: ([, { crossEntropyTau }]) => crossEntropyTau.high,
  accuracyTau: ([, { accuracyTau }]) => accuracyTau.value,
  accuracyTauLow: ([, { accuracyTau }]) => accuracyTau.low,
  accuracyTauHigh: ([, { accuracyTau }]) => accuracyTau.high,
  randomAccuracy: ([, { randomAccuracy }]) => randomAccuracy,
  minMacs: ([, , { minMacs }]) => minMacs,
  maxMacs: ([, , { maxMacs }]) => maxMacs,
  nets: ([, , { nets }]) => nets,
  answer: ([, , { answer }]) => answer.arch,
  answerMacs: ([, , { answer }]) => answer.macs,
  answerAccuracy: ([, , { answer }]) => answer.accuracy,
  answerTrueAccuracy: ([, , { answer }]) => answer.trueAccuracy,
  answerPlace: ([, , { answer }]) => answer.place,
  tableBest: ([, , { tableBest }]) => tableBest?.arch,
  tableBestTrueAccuracy: ([, , { tableBest }]) => tableBest?.trueAccuracy,
  tableBestPlace: ([, , { tableBest }]) => tableBest?.place,
};

/** One line for each budget of each trial, under a line of column names; empty for what is not known. */
export function studyCsv({ runs }: StudyReport): string {
  const rows = runs.flatMap(({ name, trials }) =>
    trials.flatMap((trial) =>
      trial.picks.map((pick) =>
        Object.values(CSV_COLUMNS)
          .map((valueOf) => valueOf([name, trial, pick]) ?? '')
          .join(','),
      ),
    ),
  );
  return [Object.keys(CSV_COLUMNS).join(','), ...rows, ''].join('\n');
}

/** The means for a terminal. */
export function studySummary({ runs, floors, trials }: StudyReport): string {
  const header = ['', 'tau by main effects', 'tau by cross-entropy', 'tau by accuracy', 'minutes'];
  const rows = runs.map(({ name, summary }) => [
    name,
    spreadText(summary.mainEffectsTau, fraction),
    spreadText(summary.crossEntropyTau, fraction),
    spreadText(summary.accuracyTau, fraction),
    spreadText(summary.seconds, minutes),
  ]);
  const floorRows = floors.map(({ name, kendallTau }) => [
    `counting ${SCORE_TITLES[name]}`,
    fraction(kendallTau),
    '',
    '',
    '',
  ]);
  const done = `${trials.finished} of ${trials.planned} trials; means over seeds ± standard deviation`;
  return [done, '', ...aligned([header, ...rows, ...floorRows])].join('\n');
}
