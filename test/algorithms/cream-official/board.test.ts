import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  emptyBoard,
  insert,
  isAdmissible,
  type Board,
  type BoardEntry,
} from '../../../src/algorithms/cream-official/board.ts';

const probe = { images: Float32Array.of(1), probabilities: Float32Array.of(1) };

// Accuracies and the gap are binary fractions, so that "exactly at the gap" is exact.
const GAP = 1 / 16;

function entry(path: number[], batchAccuracy: number, macs: number, step = 0): BoardEntry {
  return { path, batchAccuracy, macs, step, probe };
}

function boardOf(capacity: number, ...entries: BoardEntry[]): Board {
  return entries.reduce(insert, emptyBoard(capacity));
}

const full = boardOf(3, entry([0], 0.75, 300), entry([1], 0.5, 200), entry([2], 0.25, 100));

function admits(batchAccuracy: number, macs: number): boolean {
  return isAdmissible(full, { batchAccuracy, macs }, GAP);
}

function stepsOf({ entries }: Board): number[] {
  return entries.map(({ step }) => step);
}

describe('the board of the released code', () => {
  it('admits anything while it has room, and compares with its last entry afterwards', () => {
    const two = boardOf(3, entry([0], 0.75, 300), entry([1], 0.5, 200));
    assert.ok(isAdmissible(two, { batchAccuracy: 0, macs: 1e9 }, GAP));
    assert.ok(!admits(0, 1e9));
  });

  it('a lead of more than the gap outweighs any cost, one of exactly the gap does not', () => {
    assert.equal(admits(0.25 + GAP, 1000), false);
    assert.equal(admits(0.25 + GAP + 2 ** -20, 1000), true);
  });

  it('fewer multiply-accumulates admit on any lead, however small', () => {
    assert.equal(admits(0.25 + 2 ** -20, 99), true);
    assert.equal(admits(0.25, 99), false, 'the same accuracy');
    assert.equal(admits(0.25 + 2 ** -20, 100), false, 'the same cost');
  });

  it('an over-full board loses its last entry', () => {
    const next = insert(full, entry([3], 0.625, 500));
    assert.deepEqual(next.entries.map(({ path }) => path), [[0], [3], [1]]); // prettier-ignore
    assert.equal(full.entries.length, 3, 'the old board is untouched');
  });

  it('orders ties as tuples, largest first: the more costly, then the larger digits', () => {
    const entries = [
      entry([1, 2], 0.5, 100, 1),
      entry([2, 1], 0.5, 100, 2),
      entry([0, 0], 0.5, 200, 3),
      entry([9, 9], 0.5, 50, 4),
      entry([2, 0], 0.5, 100, 5),
    ];
    for (const order of [entries, entries.toReversed()]) {
      assert.deepEqual(stepsOf(boardOf(5, ...order)), [3, 2, 5, 1, 4]);
    }
  });

  it('lets a path stand twice, the older entry in front where all is equal', () => {
    const again = insert(insert(boardOf(4), entry([7], 0.5, 100, 1)), entry([7], 0.75, 100, 2));
    assert.deepEqual(stepsOf(again), [2, 1]);
    assert.deepEqual(stepsOf(insert(again, entry([7], 0.5, 100, 3))), [2, 1, 3]);
  });
});
