import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { floorsOf } from '../../src/ranking-study/floors.ts';
import { readTable } from '../../src/ranking-study/table.ts';
import { shippedSpace } from '../support/spaces.ts';
import { documents, texts } from './inputs.ts';
import { checkProperty, checkShares } from './property.ts';

const space = shippedSpace('nas-bench-macro');

/** What a rank study does with a table: every row is a different network with an accuracy. */
function useTable(text: string): void {
  const rows = readTable(space, text, 'table');
  const floors = floorsOf(space);
  assert.ok(rows.length >= 2);
  assert.equal(new Set(rows.map(({ path }) => path.join())).size, rows.length);
  assert.ok(rows.every(({ accuracy }) => accuracy >= 0 && accuracy <= 1));
  assert.ok(rows.every(({ path }) => floors(path).macs > 0));
}

const entry = { test_acc: [93.1, 92.9], mean_acc: 93, std: 0.1, params: 1, flops: 2 };
const table = { '22212220': entry, '00000120': { mean_acc: 80.5 }, '11201000': entry };

const archs = fc.oneof(
  { weight: 20, arbitrary: fc.nat(3 ** 8 - 1).map((i) => i.toString(3).padStart(8, '0')) },
  { weight: 1, arbitrary: fc.constantFrom('', '120', '3', '"', '__proto__', 'mb3_k3 mb3_k3') },
);
const cells = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: 0, max: 100, noNaN: true }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '93 %', '-1', '1e9', 'NaN', '"93"', '9'.repeat(999)),
  },
);
const headers = fc.constantFrom('arch,accuracy', '"arch","accuracy"', 'arch,accuracy,x', 'a,b');
const csv = fc
  .tuple(headers, fc.array(fc.tuple(archs, cells), { maxLength: 6 }), fc.constantFrom('\n', '\r\n'))
  .map(([header, rows, end]) => [header, ...rows.map((row) => row.join(','))].join(end));

describe('hostile tables of networks', () => {
  const codes = ['TABLE_INVALID', 'ARCHITECTURE_INVALID'] as const;

  it('in JSON give rows, or are refused', () => {
    const inputs = texts(documents(fc.constant<unknown>(table)), ['json', 'pretty']);
    checkShares(checkProperty({ inputs, cases: 1500, codes, attempt: useTable }), 0.2);
  });

  it('in CSV give rows, or are refused', () => {
    checkShares(checkProperty({ inputs: csv, cases: 1500, codes, attempt: useTable }), 0.2);
  });
});
