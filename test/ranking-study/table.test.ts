import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { TrialError, type ErrorCode } from '../../src/foundation/errors.ts';
import { pathCode, pathOfCode } from '../../src/searchspace/path.ts';
import { chooseNets } from '../../src/ranking-study/choose.ts';
import { readTable, type TableRow } from '../../src/ranking-study/table.ts';
import { ROOT, shippedSpace } from '../support/spaces.ts';

const space = shippedSpace('nas-bench-macro');
const benchmark = readFileSync(`${ROOT}/test/fixtures/nas-bench-macro-dev400.json`, 'utf8');

/** Rows as digit codes with their accuracies. */
function codes(rows: readonly TableRow[]): unknown[] {
  return rows.map(({ path, accuracy }) => [pathCode(space, path), accuracy]);
}

function assertRefused(text: string, code: ErrorCode, message: RegExp): void {
  assert.throws(
    () => readTable(space, text, 'table.csv'),
    (thrown: unknown) => {
      assert.ok(thrown instanceof TrialError, String(thrown));
      assert.equal(thrown.code, code);
      assert.match(thrown.message, message);
      return true;
    },
  );
}

describe('a table of trained networks', () => {
  it('is read as NAS-Bench-Macro publishes it, percentages as fractions', () => {
    const rows = readTable(space, benchmark, 'nas-bench-macro.json');
    assert.equal(rows.length, 400);
    const accuracies = new Map(codes(rows) as [string, number][]);
    assert.equal(accuracies.get('00000120'), 80.7633285522461 / 100);
    assert.ok(rows.every(({ accuracy }) => accuracy > 0.4 && accuracy < 0.94));
  });

  it('may be CSV with codes or with names, fractions or percentages, in any layout', () => {
    const fractions = 'arch,accuracy\n22212220,0.93\n00000120,0.81\n';
    const rows = codes(readTable(space, fractions, 'table.csv'));
    assert.deepEqual(rows, [['22212220', 0.93], ['00000120', 0.81]]); // prettier-ignore
    const named = [
      '\uFEFFseed,"accuracy", arch ',
      '1, 93 ,"mb6_k5 mb6_k5 mb6_k5 mb3_k3 mb6_k5 mb6_k5 mb6_k5 identity"',
      '',
      '2,81,identity identity identity identity identity  mb3_k3 mb6_k5 identity',
    ].join('\r\n');
    assert.deepEqual(codes(readTable(space, named, 'table.csv')), rows);
  });

  it('takes 1 for a fraction where nothing is above it', () => {
    const rows = readTable(space, 'arch,accuracy\n22212220,1\n00000120,0.5', 'table.csv');
    assert.deepEqual(rows.map(({ accuracy }) => accuracy), [1, 0.5]); // prettier-ignore
  });

  it('has paths of one network as one row with their mean', () => {
    const text = 'arch,accuracy\n11201000,80\n22212220,90\n11210000,82\n11201000,84\n';
    assert.deepEqual(codes(readTable(space, text, 'table.csv')), [
      ['11210000', 0.82],
      ['22212220', 0.9],
    ]);
  });

  it('is refused with file and line where a row is no path of the space', () => {
    const refused = (arch: string, message: RegExp): void => {
      const text = `arch,accuracy\n22212220,0.9\n${arch},0.8`;
      assertRefused(text, 'ARCHITECTURE_INVALID', message);
    };
    refused('120', /^table\.csv line 3: wanted one operation for each of the 8 blocks.*found 3/);
    refused('22212223', /^table\.csv line 3: label "layer_7".*found digit "3"/);
    refused('mb9_k9', /^table\.csv line 3/);
    refused('', /^table\.csv line 3/);
    const json = '{"22212220": {"mean_acc": 90}, "2221": {"mean_acc": 90}}';
    assertRefused(json, 'ARCHITECTURE_INVALID', /^table\.csv: "2221"/);
  });

  it('is refused where an accuracy is no number, or none that can be', () => {
    for (const cell of ['', 'n/a', '93 %', '-1', '101', 'NaN', 'Infinity', '0x1p3']) {
      const text = `arch,accuracy\n22212220,${cell}\n00000120,0.8`;
      assertRefused(text, 'TABLE_INVALID', /^table\.csv line 2: wanted an accuracy/);
    }
    assertRefused('arch,accuracy\n22212220', 'TABLE_INVALID', /line 2: wanted an accuracy.*""/);
    const json = '{"22212220": {"mean_acc": "90"}}';
    assertRefused(json, 'TABLE_INVALID', /22212220\/mean_acc: must be number/);
  });

  it('is refused where it holds fewer than two networks', () => {
    assertRefused('{}', 'TABLE_INVALID', /two different networks; found 0/);
    assertRefused('arch,accuracy\n22212220,0.9', 'TABLE_INVALID', /found 1/);
    const twins = 'arch,accuracy\n11201000,80\n11210000,82';
    assertRefused(twins, 'TABLE_INVALID', /found 2 paths of one/);
  });

  it('is refused where it is neither JSON nor CSV with our columns', () => {
    for (const text of ['', '\n\n', 'arch;accuracy\n22212220;0.9', '22212220,0.9', '\0\u0001']) {
      assertRefused(text, 'TABLE_INVALID', /wanted JSON, or CSV whose first line names/);
    }
    assertRefused('{"22212220": ', 'TABLE_INVALID', /wanted JSON/);
    assertRefused('{"22212220": {"accuracy": 90}}', 'TABLE_INVALID', /"accuracy"/);
  });
});

describe('chooseNets', () => {
  const rows = readTable(space, benchmark, 'nas-bench-macro.json');
  const chosen = (count: number, seed: number): readonly string[] =>
    chooseNets(rows, count, seed).map(({ path }) => path.join(''));

  it('draws each network at most once, the same for the same seed', () => {
    assert.equal(new Set(chosen(100, 3)).size, 100);
    assert.deepEqual(chosen(100, 3), chosen(100, 3));
    assert.notDeepEqual(chosen(100, 3), chosen(100, 4));
    assert.deepEqual(chosen(400, 3).toSorted(), rows.map(({ path }) => path.join('')).sort());
  });

  it('draws fewer networks out of the same more', () => {
    assert.deepEqual(chosen(50, 3), chosen(100, 3).slice(0, 50));
  });

  it('draws every network equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++) {
      for (const path of chosen(40, seed)) counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    const statistic = rows.reduce((sum, { path }) => {
      return sum + ((counts.get(path.join('')) ?? 0) - 40) ** 2 / 40;
    }, 0);
    // Without replacement the variance is 0.9 of the mean; 520 is chi-square's 0.9999 quantile, about.
    assert.ok(statistic < 0.9 * 520, `chi-square ${statistic}`);
  });

  it('refuses to draw more than there are', () => {
    const refused = { code: 'TABLE_INVALID', message: /wanted 401 different networks; found 400/ };
    assert.throws(() => chosen(401, 0), refused);
  });

  it('names the paths of the table', () => {
    const path = pathOfCode(space, '00000120', 'code');
    assert.ok(chosen(400, 0).includes(path.join('')));
  });
});
