import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  emptyBoard,
  insert,
  isAdmissible,
  isCandidate,
  noiseGap,
  type Board,
  type BoardEntry,
} from '../../../src/algorithms/cream/board.ts';

const probe = { images: Float32Array.of(1), probabilities: Float32Array.of(1) };

// Accuracies and the gap are binary fractions, so that "exactly at the gap" is exact.
const GAP = 1 / 16;
const gapAt = (): number => GAP;

function entry(path: number[], accuracy: number, macs: number, changes = {}): BoardEntry {
  return { path, accuracy, batchAccuracy: accuracy, macs, step: 0, probe, ...changes };
}

function boardOf(capacity: number, ...entries: BoardEntry[]): Board {
  return entries.reduce(insert, emptyBoard(capacity));
}

const full = boardOf(3, entry([0], 0.75, 300), entry([1], 0.5, 200), entry([2], 0.25, 100));

function admits(accuracy: number, macs: number): boolean {
  return isAdmissible(full, { path: [9], accuracy, macs }, gapAt);
}

describe('the board', () => {
  it('admits anything while it has room', () => {
    let board = emptyBoard(3);
    for (const [i, merit] of [0.5, 0, 0.25].entries()) {
      assert.ok(isAdmissible(board, { path: [i], accuracy: merit, macs: 1e9 }, gapAt));
      board = insert(board, entry([i], merit, 1e9));
    }
    assert.deepEqual(board.entries.map(({ accuracy }) => accuracy), [0.5, 0.25, 0]); // prettier-ignore
    assert.ok(!isAdmissible(board, { path: [3], accuracy: 0, macs: 1e9 }, gapAt));
  });

  it('a lead of exactly the gap is not enough, more than the gap is', () => {
    assert.equal(admits(0.25 + GAP, 1000), false);
    assert.equal(admits(0.25 + GAP + 2 ** -20, 1000), true);
  });

  it('a cheaper path needs a lead and fewer MACs, both strictly', () => {
    assert.equal(admits(0.25 + 2 ** -20, 99), true);
    assert.equal(admits(0.25, 99), false, 'the same accuracy');
    assert.equal(admits(0.25 + 2 ** -20, 100), false, 'the same MACs');
    assert.equal(admits(0.125, 1), false, 'worse, however cheap');
  });

  it('the gap may depend on the accuracy of the worst entry', () => {
    const seen: number[] = [];
    const gap = (worst: number): number => {
      seen.push(worst);
      return 0.5;
    };
    assert.equal(isAdmissible(full, { path: [9], accuracy: 0.7, macs: 1000 }, gap), false);
    assert.deepEqual(seen, [0.25]);
  });

  it('an over-full board loses its least accurate entry', () => {
    const next = insert(full, entry([3], 0.625, 500));
    assert.deepEqual(next.entries.map(({ path }) => path), [[0], [3], [1]]); // prettier-ignore
    assert.equal(full.entries.length, 3, 'the old board is untouched');
    assert.deepEqual(full.entries.at(-1)!.path, [2]);
  });

  it('ties are ordered by MACs, then by path, whatever the order of arrival', () => {
    const entries = [
      entry([2, 1], 0.5, 100),
      entry([1, 2], 0.5, 100),
      entry([3, 0], 0.5, 50),
      entry([0, 0], 0.5, 200),
    ];
    for (const order of [entries, entries.toReversed()]) {
      const paths = boardOf(4, ...order).entries.map(({ path }) => path);
      assert.deepEqual(paths, [[3, 0], [1, 2], [2, 1], [0, 0]]); // prettier-ignore
    }
  });

  it('a path never stands twice: its newest measurement replaces even a better one', () => {
    const again = entry([0], 0.375, 300, { step: 7 });
    assert.ok(
      isAdmissible(full, { ...again, accuracy: 0 }, gapAt),
      'a known path always may enter',
    );
    const next = insert(full, again);
    assert.deepEqual(next.entries.map(({ path }) => path), [[1], [0], [2]]); // prettier-ignore
    assert.equal(next.entries[1], again);
  });

  it('a candidate is judged by training-batch accuracy, not by the mini-set', () => {
    const board = boardOf(1, entry([0], 0.75, 300, { batchAccuracy: 0.25 }));
    assert.ok(isCandidate(board, { accuracy: 0.5, macs: 1000 }, gapAt));
    assert.ok(!isCandidate(board, { accuracy: 0.25, macs: 1 }, gapAt));
    assert.ok(!isAdmissible(board, { path: [9], accuracy: 0.5, macs: 1000 }, gapAt));
  });

  it('the default gap is three standard errors of the mini-set and at least 0.05', () => {
    assert.equal(noiseGap(256)(0.5), 3 * Math.sqrt(0.25 / 256));
    assert.equal(noiseGap(256)(0), 0.05);
    assert.equal(noiseGap(100_000)(0.5), 0.05);
  });
});
