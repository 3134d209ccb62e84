import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  admitBy,
  emptyBoard,
  noiseGap,
  officialRule,
  paretoRule,
  type AdmissionRule,
  type BoardEntry,
} from '../../../src/algorithms/cream/board.ts';

function entry(path: number[], changes: Partial<BoardEntry> = {}): BoardEntry {
  const numbers = { macs: 100, crossEntropy: 1, accuracy: 0.5, since: 0 };
  return { path, ...numbers, probabilities: Float32Array.of(1), ...changes };
}

/** Paths of the board after a round. */
function kept(
  rule: AdmissionRule,
  capacity: number,
  members: readonly BoardEntry[],
  applicants: readonly BoardEntry[] = [],
): (readonly number[])[] {
  const { entries } = admitBy(rule, emptyBoard(capacity), members, applicants);
  return entries.map(({ path }) => path);
}

/** Entries of few different numbers, so that ties are frequent, each of its own path. */
const rivals = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })), {
    minLength: 1,
    maxLength: 14,
  })
  .map((pairs) => pairs.map(([crossEntropy, macs], i) => entry([i], { crossEntropy, macs })));

const round = fc.record({
  all: rivals,
  capacity: fc.integer({ min: 1, max: 8 }),
  members: fc.nat({ max: 14 }),
});

/** Whether `a` is better than `b` in one respect and worse in none. */
function beats(a: BoardEntry, b: BoardEntry): boolean {
  const better = [a.crossEntropy < b.crossEntropy, a.macs < b.macs];
  const worse = [a.crossEntropy > b.crossEntropy, a.macs > b.macs];
  return better.includes(true) && !worse.includes(true);
}

/** Number of the front of an entry: the length of the longest chain of entries that beat it. */
function frontOf(one: BoardEntry, all: readonly BoardEntry[]): number {
  const above = all.filter((other) => beats(other, one));
  return above.reduce((longest, other) => Math.max(longest, 1 + frontOf(other, all)), 0);
}

describe('the Pareto rule', () => {
  it('keeps the first front, then the second; of one that is too large the best', () => {
    // First front: 0, 1, 2; second: 3, 4; third: 5.
    const all = [
      entry([0], { crossEntropy: 1, macs: 30 }),
      entry([1], { crossEntropy: 2, macs: 20 }),
      entry([2], { crossEntropy: 3, macs: 10 }),
      entry([3], { crossEntropy: 2, macs: 31 }),
      entry([4], { crossEntropy: 3, macs: 21 }),
      entry([5], { crossEntropy: 4, macs: 40 }),
    ];
    assert.deepEqual(kept(paretoRule, 2, all), [[0], [1]]);
    assert.deepEqual(kept(paretoRule, 3, all), [[0], [1], [2]]);
    // The merit of the fourth is that of the second; it costs more.
    assert.deepEqual(kept(paretoRule, 4, all), [[0], [1], [3], [2]]);
    assert.deepEqual(kept(paretoRule, 9, all), [[0], [1], [3], [2], [4], [5]]);
  });

  it('agrees with the longest chains of better paths, on any board', () => {
    fc.assert(
      fc.property(round, ({ all, capacity, members }) => {
        const board = admitBy(
          paretoRule,
          emptyBoard(capacity),
          all.slice(0, members),
          all.slice(members),
        );
        assert.equal(board.capacity, capacity);
        assert.equal(board.entries.length, Math.min(capacity, all.length));
        assert.equal(new Set(board.entries).size, board.entries.length);
        const dropped = all.filter((each) => !board.entries.includes(each));
        for (const out of dropped) {
          for (const inside of board.entries) {
            assert.ok(!beats(out, inside), 'a path that beats a kept one was dropped');
            const [front, other] = [frontOf(inside, all), frontOf(out, all)];
            assert.ok(front <= other, `front ${front} kept, ${other} dropped`);
            if (front === other) assert.ok(inside.crossEntropy <= out.crossEntropy);
          }
        }
      }),
    );
  });

  it('never loses the best path, whatever the size of the board', () => {
    fc.assert(
      fc.property(round, ({ all, capacity, members }) => {
        const least = Math.min(...all.map(({ crossEntropy }) => crossEntropy));
        const best = all.filter(({ crossEntropy }) => crossEntropy === least);
        const cheapest = Math.min(...best.map(({ macs }) => macs));
        const { entries } = admitBy(
          paretoRule,
          emptyBoard(capacity),
          all.slice(0, members),
          all.slice(members),
        );
        assert.deepEqual([entries[0]!.crossEntropy, entries[0]!.macs], [least, cheapest]);
      }),
    );
  });

  it('does not care who was on the board before, or in what order they come', () => {
    fc.assert(
      fc.property(round, ({ all, capacity, members }) => {
        const split = kept(paretoRule, capacity, all.slice(0, members), all.slice(members));
        assert.deepEqual(kept(paretoRule, capacity, [], all.toReversed()), split);
      }),
    );
  });
});

// Accuracies and the gap are binary fractions, so that "exactly at the gap" is exact.
const GAP = 1 / 16;
const official = officialRule(() => GAP);
const least = 2 ** -20;

const full = [
  entry([0], { accuracy: 0.75, macs: 300 }),
  entry([1], { accuracy: 0.5, macs: 200 }),
  entry([2], { accuracy: 0.25, macs: 100 }),
];

function admits(accuracy: number, macs: number, rule = official): boolean {
  const applicant = entry([9], { accuracy, macs });
  return rule(full, [applicant], 3).includes(applicant);
}

describe("the official code's rule", () => {
  it('admits anything while there is room', () => {
    const poor = [0.5, 0, 0.25].map((accuracy, i) => entry([i], { accuracy, macs: 1e9 }));
    assert.deepEqual(official([], poor, 3).map(({ accuracy }) => accuracy), [0.5, 0.25, 0]); // prettier-ignore
    const late = entry([3], { accuracy: 0, macs: 1e9 });
    assert.equal(official([], [...poor, late], 3).includes(late), false);
  });

  it('a lead of exactly the gap is not enough, more than the gap is', () => {
    assert.equal(admits(0.25 + GAP, 1000), false);
    assert.equal(admits(0.25 + GAP + least, 1000), true);
  });

  it('a cheaper path needs a lead and fewer MACs, both strictly', () => {
    assert.equal(admits(0.25 + least, 99), true);
    assert.equal(admits(0.25, 99), false, 'the same accuracy');
    assert.equal(admits(0.25 + least, 100), false, 'the same MACs');
    assert.equal(admits(0.125, 1), false, 'worse, however cheap');
  });

  it('the least accurate entry leaves, and the next applicant meets the board as it is then', () => {
    const applicants = [
      entry([3], { accuracy: 0.625, macs: 500 }),
      entry([4], { accuracy: 0.5 + GAP, macs: 500 }),
    ];
    const { entries } = admitBy(official, emptyBoard(3), full, applicants);
    assert.deepEqual(entries.map(({ path }) => path).sort(), [[0], [1], [3]]); // prettier-ignore
    assert.deepEqual(full.map(({ path }) => path), [[0], [1], [2]]); // prettier-ignore
  });

  it('judges by current accuracies, whatever the order of the members', () => {
    const fallen = [entry([0], { accuracy: 0.1 }), full[1]!, full[2]!];
    const applicant = entry([9], { accuracy: 0.2, macs: 1 });
    const next = official(fallen, [applicant], 3);
    assert.deepEqual(next.map(({ path }) => path), [[1], [2], [9]]); // prettier-ignore
  });

  it('the gap may depend on the accuracy of the worst entry', () => {
    const seen: number[] = [];
    const gap = (worst: number): number => {
      seen.push(worst);
      return 0.5;
    };
    assert.equal(admits(0.7, 1000, officialRule(gap)), false);
    assert.deepEqual(seen, [0.25]);
  });

  it('the default gap is three standard errors of the mini-set and at least 0.05', () => {
    // Standard errors of 225 images at 0.5: 0.5 / 15; of 100 at 0.2: 0.4 / 10.
    assert.ok(Math.abs(noiseGap(225)(0.5) - 0.1) < 1e-12);
    assert.ok(Math.abs(noiseGap(100)(0.2) - 0.12) < 1e-12);
    assert.equal(noiseGap(256)(0), 0.05);
    assert.equal(noiseGap(100_000)(0.5), 0.05);
  });
});

describe('the board', () => {
  it('is ordered by cross-entropy, then by MACs, then by path, whatever the order of arrival', () => {
    const entries = [
      entry([2, 1], { macs: 100 }),
      entry([1, 2], { macs: 100 }),
      entry([3, 0], { macs: 50 }),
      entry([0, 0], { macs: 200 }),
      entry([4, 4], { macs: 900, crossEntropy: 0.5, accuracy: 0 }),
    ];
    for (const order of [entries, entries.toReversed()]) {
      const wanted = [[4, 4], [3, 0], [1, 2], [2, 1], [0, 0]]; // prettier-ignore
      assert.deepEqual(kept(officialRule(() => 0), 5, order), wanted); // prettier-ignore
      assert.deepEqual(kept(paretoRule, 5, [], order), wanted);
    }
  });
});
