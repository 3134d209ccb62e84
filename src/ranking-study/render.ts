import type { Estimate, Net, RankReport, Score, ScoreName } from '../generated/rank.ts';

/** What the scores are called for people. */
export const SCORE_TITLES: Readonly<Record<ScoreName, string>> = {
  mainEffects: 'main effects',
  accuracy: 'accuracy',
  crossEntropy: 'cross-entropy',
  macs: 'MACs',
  params: 'parameters',
  depth: 'depth',
  logDepth: 'log-depth',
};

/** A fraction as a percentage with one decimal. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** Text of a correlation with its interval: `0.612 [0.531, 0.688]`. */
export function estimateText({ value, low, high }: Estimate): string {
  const [at, from, to] = [value, low, high].map((each) => each?.toFixed(3) ?? '–');
  return `${at} [${from}, ${to}]`;
}

function scoreCells({ name, kendallTau, spearman, top }: Score): readonly string[] {
  return [
    SCORE_TITLES[name],
    estimateText(kendallTau),
    estimateText(spearman),
    ...top.map(({ overlap }) => percent(overlap)),
  ];
}

/** Columns of equal width: the first to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  '),
  );
}

/** The report as a table for a terminal. */
export function renderRankReport({
  space,
  table,
  seed,
  seconds,
  scores,
  nets,
}: RankReport): string {
  const top = scores[0]?.top ?? [];
  const [best, worst] = [nets[0]?.trueAccuracy ?? NaN, nets.at(-1)?.trueAccuracy ?? NaN];
  const header = ['', 'Kendall tau-b', 'Spearman', ...top.map(({ k }) => `top ${k}`)];
  const chance = ['by chance', '0', '0', ...top.map((each) => percent(each.chance))];
  return [
    `${nets.length} of ${table.nets} networks of "${space}" in ${table.file}, seed ${seed}`,
    `true accuracy from ${percent(worst)} to ${percent(best)}; scored in ${seconds.toFixed(1)} s`,
    '',
    ...aligned([header, ...scores.map(scoreCells), chance]),
    '',
    'Intervals are 95 % bootstrap; cross-entropy counts with its sign changed. Main effects are an',
    'additive model of the cross-entropies of these networks. MACs, parameters, depth and log-depth',
    'need no training: a supernet that ranks no better has learnt no ranking.',
  ].join('\n');
}

const CSV_COLUMNS: readonly (keyof Net)[] = [
  'arch',
  'trueAccuracy',
  'accuracy',
  'crossEntropy',
  'mainEffects',
  'macs',
  'params',
  'depth',
  'logDepth',
];

/** One line a network under a line of column names; no name of an operation needs quotes. */
export function rankCsv({ nets }: RankReport): string {
  const rows = nets.map((net) => CSV_COLUMNS.map((column) => net[column]).join(','));
  return [CSV_COLUMNS.join(','), ...rows, ''].join('\n');
}
