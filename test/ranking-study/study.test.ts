import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import type { RankReport } from '../../src/generated/rank.ts';
import { rankReport } from '../../src/ranking-study/report.ts';
import { studyPlot } from '../../src/ranking-study/study-plot.ts';
import { studyCsv, studyMarkdown, studySummary } from '../../src/ranking-study/study-text.ts';
import { studyReport, type StudySubject, type TrialRecord } from '../../src/ranking-study/study.ts';
import type { TableRow } from '../../src/ranking-study/table.ts';
import { parseStudyReport } from '../../src/run-folder/study-result.ts';
import { canonicalPath } from '../../src/searchspace/canonical.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { pathOfCode, pathText } from '../../src/searchspace/path.ts';
import { shippedSpace } from '../support/spaces.ts';

const space = shippedSpace('nas-bench-macro');

const macsOf = (code: string): number => pathCost(space, pathOfCode(space, code, 'code')).macs;
const archOf = (code: string): string => pathText(space, pathOfCode(space, code, 'code'));

/** Four networks, each larger than the one before it, the third being the best. */
const CODES = ['00000000', '00010000', '00011000', '11111111'] as const;
const TRUTH = [0.8, 0.85, 0.95, 0.9];
const rows: readonly TableRow[] = CODES.map((code, i) => ({
  path: canonicalPath(space, pathOfCode(space, code, 'code')),
  accuracy: TRUTH[i]!,
}));

/** Scores of the four networks. */
function ranked(crossEntropies: readonly number[], accuracies: readonly number[]): RankReport {
  const scored = rows.map(({ path, accuracy: trueAccuracy }, i) => {
    return { path, trueAccuracy, accuracy: accuracies[i]!, crossEntropy: crossEntropies[i]! };
  });
  return rankReport(space, scored, { table: { file: 't', nets: 4 }, seed: 0, seconds: 1 });
}

const subject: StudySubject = {
  space,
  table: { file: 'table.csv', rows },
  rankSeed: 0,
  nets: 4,
  planned: 5,
  runs: [
    { name: 'a', settings: { algorithm: 'cream' } },
    { name: 'unfinished', settings: {} },
    { name: 'b', settings: {} },
  ],
};

const OPEN = { min: 0, max: Infinity };
const NARROW = { min: 0, max: macsOf(CODES[1]) };

const records: readonly TrialRecord[] = [
  {
    name: 'a',
    seed: 1,
    images: 100,
    seconds: 60,
    randomAccuracy: 0.4,
    // Cross-entropy orders as the truth does but for the last two: 4 of 6 pairs more than not.
    rank: ranked([4, 3, 2, 1], [0.1, 0.2, 0.4, 0.3]),
    picked: [
      // The same network as the table's second, written with the identity first.
      { budget: OPEN, arch: archOf('00001000'), macs: macsOf('00001000'), accuracy: 0.6 },
      { budget: NARROW, arch: archOf('00200000'), macs: 7, accuracy: 0.5 },
    ],
  },
  {
    name: 'a',
    seed: 2,
    images: 100,
    seconds: 180,
    randomAccuracy: 0.6,
    rank: ranked([4, 3, 1, 2], [0.4, 0.3, 0.2, 0.1]),
    picked: [
      { budget: OPEN, arch: archOf(CODES[2]), macs: macsOf(CODES[2]), accuracy: 0.8 },
      { budget: NARROW, arch: archOf(CODES[1]), macs: macsOf(CODES[1]), accuracy: 0.5 },
    ],
  },
  {
    name: 'b',
    seed: 1,
    images: 300,
    seconds: 30,
    randomAccuracy: null,
    rank: ranked([1, 1, 1, 1], [0.1, 0.2, 0.4, 0.3]),
    picked: [{ budget: OPEN, arch: archOf(CODES[3]), macs: macsOf(CODES[3]), accuracy: 0.7 }],
  },
];

const report = parseStudyReport(studyReport(subject, records), 'report');
const [a, b] = report.runs;

function near(actual: number | null | undefined, wanted: number): void {
  assert.ok(Math.abs((actual ?? NaN) - wanted) < 1e-12, `${actual} is not ${wanted}`);
}

describe('the report of a study', () => {
  it('has a run for each setting with a finished trial, in the order of the study', () => {
    assert.deepEqual(
      report.runs.map(({ name, trials }) => [name, trials.map(({ seed }) => seed)]),
      [
        ['a', [1, 2]],
        ['b', [1]],
      ],
    );
    assert.deepEqual(report.trials, { finished: 3, planned: 5 });
    assert.deepEqual(report.table, { file: 'table.csv', nets: 4, ranked: 4 });
  });

  it('gives taus, means and deviations as computed by hand', () => {
    const [first, second] = a!.trials;
    near(first.crossEntropyTau.value, 4 / 6);
    near(second!.crossEntropyTau.value, 1);
    near(first.accuracyTau.value, 1);
    near(second!.accuracyTau.value, -4 / 6);
    near(a!.summary.crossEntropyTau.mean, 5 / 6);
    near(a!.summary.crossEntropyTau.deviation, (1 / 3) * Math.SQRT1_2);
    near(a!.summary.randomAccuracy.mean, 0.5);
    near(a!.summary.randomAccuracy.deviation, Math.sqrt(0.02));
    near(a!.summary.answerAccuracy.mean, 0.7);
    near(a!.summary.tableBestTrueAccuracy.mean, (0.9 + 0.95) / 2);
    assert.deepEqual(a!.summary.seconds, { mean: 120, deviation: Math.sqrt(7200) });
    assert.deepEqual(a!.summary.images, { mean: 100, deviation: 0 });
  });

  it('says that a number is unknown instead of making one up', () => {
    assert.deepEqual(b!.summary.randomAccuracy, { mean: null, deviation: null });
    assert.deepEqual(b!.summary.crossEntropyTau, { mean: null, deviation: null });
    assert.deepEqual(b!.summary.images, { mean: 300, deviation: null });
  });

  it('finds the answer in the table by its network, and its place within the budget', () => {
    const [own, narrow] = a!.trials[0].picks;
    assert.equal(own.answer.arch, archOf('00001000'));
    assert.deepEqual([own.answer.trueAccuracy, own.answer.place, own.nets], [0.85, 3, 4]);
    assert.deepEqual([narrow!.answer.trueAccuracy, narrow!.answer.place], [null, null]);
    const [, second] = a!.trials[1]!.picks;
    assert.deepEqual([second!.answer.trueAccuracy, second!.answer.place], [0.85, 1]);
  });

  it('finds the best-scored network of the table within each budget', () => {
    const [own, narrow] = a!.trials[0].picks;
    assert.deepEqual(own.tableBest, {
      arch: archOf(CODES[3]),
      macs: macsOf(CODES[3]),
      trueAccuracy: 0.9,
      place: 2,
    });
    assert.deepEqual([narrow!.nets, narrow!.maxMacs], [2, NARROW.max]);
    assert.deepEqual([narrow!.tableBest?.trueAccuracy, narrow!.tableBest?.place], [0.85, 1]);
    // Of equal scores the cheapest.
    assert.equal(b!.trials[0].picks[0].tableBest?.arch, archOf(CODES[0]));
  });

  it('has the floors of the same networks', () => {
    const floors = new Map(report.floors.map(({ name, kendallTau }) => [name, kendallTau]));
    near(floors.get('macs'), 4 / 6);
    near(floors.get('depth'), 4 / 6);
    assert.equal(report.floors.length, 4);
  });

  it('is valid before the first trial, too', () => {
    assert.deepEqual(parseStudyReport(studyReport(subject, []), 'empty').runs, []);
  });
});

describe('a study for people', () => {
  const page = studyMarkdown(report, { command: 'nni-cream study x.yml', plot: 'x.svg' });
  const lines = page.split('\n');

  it('is a page with command, means, trials, picks and the plot', () => {
    assert.equal(lines[0], '`nni-cream study x.yml`');
    assert.ok(page.includes('](x.svg)'));
    assert.ok(
      lines.includes(
        '| a | 2 | 0.833 ± 0.236 | 0.833 ± 0.236 | 0.167 ± 1.179 | 0.500 ± 0.141 | 0.700 ± 0.141 | 0.9250 ± 0.0354 | 100 | 2.0 ± 1.4 |',
      ),
      page,
    );
    assert.ok(lines.includes('| b | 1 | – | – | 1.000 | – | 0.700 | 0.8000 | 300 | 0.5 |'), page);
    const place = lines.find((line) => line.startsWith('| a | 1 | none |'));
    assert.match(
      place ?? '',
      /\| 0\.8500 \| 3 of 4 \(75\.0 %\) \| 0\.9000 \| 2 of 4 \(50\.0 %\) \|$/,
    );
    const unknown = lines.find((line) => line.startsWith('| a | 1 | to '));
    assert.match(unknown ?? '', /\| not in the table \| – \| 0\.8500 \| 1 of 2 \(50\.0 %\) \|$/);
  });

  it('has tables whose rows have as many cells as their heads', () => {
    const tables = page.split('\n\n').filter((block) => block.startsWith('|'));
    assert.equal(tables.length, 3);
    for (const table of tables) {
      const cells = table.split('\n').map((line) => line.split('|').length);
      assert.equal(new Set(cells).size, 1, table);
    }
  });

  it('is a line a pick in CSV, empty for what is not known', () => {
    const [header, ...rest] = studyCsv(report).trimEnd().split('\n');
    const columns = header!.split(',');
    assert.equal(rest.length, 5);
    const unknown = rest[1]!.split(',');
    assert.equal(unknown.length, columns.length);
    assert.equal(unknown[columns.indexOf('answerTrueAccuracy')], '');
    assert.equal(unknown[columns.indexOf('tableBestTrueAccuracy')], '0.85');
  });

  it('is a short table for a terminal', () => {
    assert.match(
      studySummary(report),
      /^3 of 5 trials[^]*\na +0\.833 ± 0\.236 [^]*counting MACs +0\.667/,
    );
  });

  it('is a plot with a dot a trial, the floors and the names of the runs', async () => {
    const svg = studyPlot(report);
    for (const text of ['a', 'b', 'log-depth', 'MACs', 'minutes of training']) {
      assert.ok(svg.includes(`>${text}</text>`), text);
    }
    const { width, height } = await sharp(Buffer.from(svg)).metadata();
    assert.deepEqual([width, height], [1000, 480]);
    const dots = (text: string): number => text.match(/fill="#0072b2"/g)?.length ?? 0;
    const fewer = studyPlot(studyReport(subject, [records[0]!, records[2]!]));
    assert.equal(dots(svg) - dots(fewer), 2);
  });
});
