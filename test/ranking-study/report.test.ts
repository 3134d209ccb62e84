import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { Ajv } from 'ajv';
import sharp from 'sharp';
import { createRng } from '../../src/foundation/rng.ts';
import { kendallTau, spearman } from '../../src/foundation/statistics.ts';
import type { RankReport, Score, ScoreName } from '../../src/generated/rank.ts';
import { chooseNets } from '../../src/ranking-study/choose.ts';
import { floorsOf } from '../../src/ranking-study/floors.ts';
import { rankCsv, renderRankReport } from '../../src/ranking-study/render.ts';
import { rankReport, type ScoredNet } from '../../src/ranking-study/report.ts';
import { rankScatter } from '../../src/ranking-study/scatter.ts';
import { readTable } from '../../src/ranking-study/table.ts';
import { canonicalPath } from '../../src/searchspace/canonical.ts';
import { pathCost } from '../../src/searchspace/cost.ts';
import { pathOfCode } from '../../src/searchspace/path.ts';
import { creamSpace, readJson, ROOT, shippedSpace } from '../support/spaces.ts';

const space = shippedSpace('nas-bench-macro');
const benchmark = readFileSync(`${ROOT}/test/fixtures/nas-bench-macro-dev400.json`, 'utf8');
const study = { table: { file: 'table.json', nets: 400 }, seed: 5, seconds: 12.34 };

/** Networks of the benchmark with scores that follow their true accuracy, with noise. */
function noisyNets(count: number): readonly ScoredNet[] {
  const rng = createRng({ seed: 3, stream: 'noise', step: 0 });
  return chooseNets(readTable(space, benchmark, 'table.json'), count, 0).map((row) => {
    const accuracy = row.accuracy - 0.3 + 0.02 * rng.normal();
    const crossEntropy = 2 - row.accuracy + 0.01 * rng.normal();
    return { path: row.path, trueAccuracy: row.accuracy, accuracy, crossEntropy };
  });
}

function scoreOf({ scores }: RankReport, name: ScoreName): Score {
  const score = scores.find((each) => each.name === name);
  assert.ok(score);
  return score;
}

describe('the scores that need no training', () => {
  it('are the costs and the depths of the network, counted by hand', () => {
    const path = pathOfCode(space, '01210000', 'code');
    const { macs, params } = pathCost(space, path);
    const wanted = { macs, params, depth: 3, logDepth: Math.log(2) + Math.log(3) };
    assert.deepEqual(floorsOf(space)(path), wanted);
  });

  it('are the same for every path of one network', () => {
    const floors = floorsOf(space);
    for (let i = 0; i < 3 ** 8; i++) {
      const path = Array.from(i.toString(3).padStart(8, '0'), Number);
      assert.deepEqual(floors(path), floors(canonicalPath(space, path)));
    }
  });

  it('start a stage at a change of channels, too', () => {
    // Stages of the paper: 2, 2, 3, 4 and 2 blocks; the fourth keeps the size and is wider.
    const large = creamSpace([2, 2, 3, 4, 2]);
    const { depth, logDepth } = floorsOf(large)(large.choices.map(() => 0));
    assert.equal(depth, 13);
    const wanted = [2, 2, 3, 4, 2].reduce((sum, blocks) => sum + Math.log(1 + blocks), 0);
    assert.ok(Math.abs(logDepth - wanted) < 1e-12);
  });
});

describe('a rank report', () => {
  let report: RankReport;
  before(() => {
    report = rankReport(space, noisyNets(100), study);
  });

  it('has the correlations of each score, cross-entropy with its sign changed', () => {
    const truth = report.nets.map(({ trueAccuracy }) => trueAccuracy);
    for (const name of ['accuracy', 'macs', 'params', 'depth', 'logDepth'] as const) {
      const values = report.nets.map((net) => net[name]);
      const { kendallTau: tau, spearman: rho } = scoreOf(report, name);
      assert.equal(tau.value, kendallTau(truth, values));
      assert.equal(rho.value, spearman(truth, values));
    }
    const less = report.nets.map(({ crossEntropy }) => -crossEntropy);
    assert.equal(scoreOf(report, 'crossEntropy').kendallTau.value, kendallTau(truth, less));
    assert.ok(kendallTau(truth, less) > 0.3);
  });

  it('has intervals around its values, wider for fewer networks', () => {
    const width = ({ scores }: RankReport): number => {
      const { value, low, high } = scores[0]!.kendallTau;
      assert.ok(low! < value! && value! < high!);
      return high! - low!;
    };
    assert.ok(width(rankReport(space, noisyNets(25), study)) > 1.4 * width(report));
  });

  it('is the same for the same seed, and has other intervals for another', () => {
    assert.deepEqual(rankReport(space, noisyNets(100), study), report);
    const other = rankReport(space, noisyNets(100), { ...study, seed: 6 });
    assert.deepEqual(other.nets, report.nets);
    assert.notDeepEqual(other.scores, report.scores);
  });

  it('looks at a tenth of the networks and at ten of them, but never at all of them', () => {
    const sizes = (count: number): number[] =>
      rankReport(space, noisyNets(count), study).scores[0]!.top.map(({ k }) => k);
    assert.deepEqual(sizes(100), [10]);
    assert.deepEqual(sizes(200), [10, 20]);
    assert.deepEqual(sizes(30), [3, 10]);
    assert.deepEqual(sizes(10), [1]);
    assert.deepEqual(sizes(2), [1]);
  });

  it('has null where a score is the same for all networks', () => {
    const nets = noisyNets(20).map((net) => ({ ...net, accuracy: 0.1 }));
    const flat = rankReport(space, nets, study);
    const nothing = { value: null, low: null, high: null };
    assert.deepEqual(scoreOf(flat, 'accuracy').kendallTau, nothing);
    assert.match(renderRankReport(flat), /accuracy +– \[–, –\]/);
  });

  it('keeps to its schema, of two networks too', () => {
    const schema = readJson('schemas/rank.schema.json') as object;
    const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);
    for (const each of [report, rankReport(space, noisyNets(2), study)]) {
      assert.ok(validate(JSON.parse(JSON.stringify(each))), JSON.stringify(validate.errors));
    }
  });

  it('is a table for people with every score beside what chance gives', () => {
    const lines = renderRankReport(report).split('\n');
    assert.equal(lines[0], '100 of 400 networks of "nas-bench-macro" in table.json, seed 5');
    assert.match(lines[1]!, /^true accuracy from \d\d\.\d % to \d\d\.\d %; scored in 12\.3 s$/);
    const rows = lines.slice(3, 12);
    assert.deepEqual(
      rows.map((line) => line.slice(0, 13).trim()),
      [
        '',
        'main effects',
        'accuracy',
        'cross-entropy',
        'MACs',
        'parameters',
        'depth',
        'log-depth',
        'by chance',
      ],
    );
    assert.equal(new Set(rows.map((line) => line.length)).size, 1, 'aligned');
    const tau = scoreOf(report, 'accuracy').kendallTau.value!.toFixed(3);
    assert.ok(rows[2]!.includes(tau) && rows[8]!.endsWith('10.0 %'));
    assert.ok(lines.every((line) => line.length <= 100));
  });

  it('is a CSV that gives back every network, the truly best first', () => {
    const [header, ...rows] = rankCsv(report).trimEnd().split('\n');
    const wanted = 'arch,trueAccuracy,accuracy,crossEntropy,mainEffects,macs,params,depth,logDepth';
    assert.equal(header, wanted);
    const read = rows.map((row) => {
      const [arch, ...numbers] = row.split(',');
      const values = numbers.map((number, i) => [wanted.split(',')[i + 1]!, Number(number)]);
      return { arch, ...(Object.fromEntries(values) as object) };
    });
    assert.deepEqual(read, report.nets);
    const truth = report.nets.map(({ trueAccuracy }) => trueAccuracy);
    assert.deepEqual(truth, truth.toSorted((a, b) => b - a)); // prettier-ignore
  });

  it('is a picture with a dot for every network in both panels, and both taus', async () => {
    const svg = rankScatter(report);
    for (const name of ['accuracy', 'crossEntropy'] as const) {
      const tau = scoreOf(report, name).kendallTau.value!.toFixed(3);
      assert.ok(svg.includes(`τ = ${tau} [`), name);
    }
    assert.equal(svg.split('fill="#1f5fa8"').length - 1, 200);
    const { data, info } = await sharp(Buffer.from(svg))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [1000, 480]);
    const colours = new Set<string>();
    for (let at = 0; at < data.length; at += 3)
      colours.add(data.subarray(at, at + 3).toString('hex'));
    assert.equal(data.subarray(0, 3).toString('hex'), 'ffffff');
    assert.ok(colours.size > 50, 'text, lines and dots are drawn');
  });

  it('refuses a score without a rank', () => {
    const nets = noisyNets(5).map((net, i) => (i === 3 ? { ...net, crossEntropy: NaN } : net));
    assert.throws(() => rankReport(space, nets, study), RangeError);
  });
});
