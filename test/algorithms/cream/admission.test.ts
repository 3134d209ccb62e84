import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  apply,
  holdRound,
  probeOf,
  roundInterval,
  type Applicant,
} from '../../../src/algorithms/cream/admission.ts';
import {
  emptyBoard,
  officialRule,
  paretoRule,
  type Board,
  type BoardEntry,
} from '../../../src/algorithms/cream/board.ts';
import type { Learner } from '../../../src/algorithms/algorithm.ts';
import type { Batch } from '../../../src/data/stream/batch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { pathKey } from '../../../src/searchspace/path.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import {
  spoiled,
  tinyBatch,
  tinyEntry,
  tinyHeldOut,
  tinyLearner,
  tinyMacs,
  tinySupernet,
  trainPath,
} from '../../support/tiny.ts';

function boardOf(capacity: number, ...entries: BoardEntry[]): Board {
  return { capacity, entries };
}

function applicant(path: Path, lead = 0): Applicant {
  return { path, macs: tinyMacs(path), lead };
}

const pathsOf = (those: readonly { readonly path: Path }[]) => those.map(({ path }) => path);

describe('apply', () => {
  const trained = (...losses: [Path, number][]) =>
    losses.map(([path, crossEntropy]) => ({ path, macs: 10, crossEntropy }));

  it('puts those first whose cross-entropy is furthest below the mean of their step', () => {
    const own = apply(emptyBoard(3), [], trained([[0], 1], [[1], 3.5], [[2], 1.5]));
    assert.deepEqual(own, [
      { path: [0], macs: 10, lead: 1 },
      { path: [2], macs: 10, lead: 0.5 },
      { path: [1], macs: 10, lead: -1.5 },
    ]);
    // A step of harder images: the mean is 5.
    const next = apply(emptyBoard(3), own, trained([[3], 4.25], [[4], 5.75]));
    assert.deepEqual(pathsOf(next), [[0], [3], [2]]);
    assert.equal(next[1]!.lead, 0.75);
  });

  it('keeps the larger lead of a path that was trained twice, whichever came first', () => {
    const once = apply(emptyBoard(4), [], trained([[0], 1], [[1], 2]));
    const better = apply(emptyBoard(4), once, trained([[1], 1], [[0], 3]));
    assert.deepEqual(
      better.map(({ path, lead }) => [path, lead]),
      [[[1], 1], [[0], 0.5]], // prettier-ignore
    );
  });

  it('the paths of the board need not apply, but count for the mean', () => {
    const board = boardOf(2, tinyEntry([0, 0, 0]));
    const waiting = apply(board, [], trained([[0, 0, 0], 1], [[1, 0, 0], 2], [[2, 0, 0], 6]));
    assert.deepEqual(waiting, [
      { path: [1, 0, 0], macs: 10, lead: 1 },
      { path: [2, 0, 0], macs: 10, lead: -3 },
    ]);
  });

  it('takes the last paths, not the first names, where each step trains one', () => {
    const steps: Path[] = [[0], [5], [1], [4], [5], [2]];
    const waiting = steps.reduce<readonly Applicant[]>(
      (before, path, i) => apply(emptyBoard(3), before, trained([path, 2 - i / 10])),
      [],
    );
    assert.deepEqual(pathsOf(waiting), [[2], [5], [4]]);
  });
});

describe('holdRound, by numbers made by hand', () => {
  const miniSet: Batch = { count: 2, images: new Float32Array(2), labels: Int32Array.of(0, 1) };
  const probe: Batch = { count: 1, images: new Float32Array(1), labels: Int32Array.of(0) };

  /** Softmax outputs on the mini-set by path; on the probe each path has the last of its rows. */
  function learnerOf(rows: Readonly<Record<string, readonly number[]>>): Learner {
    const evaluate = (path: Path, batch: Batch): Float32Array => {
      const row = rows[pathKey(path)]!;
      return Float32Array.from(batch === miniSet ? row.slice(0, 6) : row.slice(-3));
    };
    return { evaluate } as unknown as Learner;
  }

  function hold(
    board: Board,
    applicants: readonly Applicant[],
    learner: Learner,
    rule = paretoRule,
  ) {
    return holdRound(board, applicants, { learner, rule, step: 70, miniSet, probe });
  }

  // Cross-entropies 1.5 ln 2, ln 2, 2 ln 2 and ln 4, accuracies 1/2, 1, 0 and 0.
  const ROWS = {
    '1.1.1': [1 / 2, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 2, 0.5, 0.5, 0],
    '2.2.2': [1 / 2, 1 / 4, 1 / 4, 1 / 4, 1 / 2, 1 / 4, 0.25, 0.25, 0.5],
    '0.0.0': [1 / 4, 1 / 2, 1 / 4, 1 / 2, 1 / 4, 1 / 4, 0, 0, 1],
  };
  const nats = (count: number) => (measured: BoardEntry) => {
    assert.ok(Math.abs(measured.crossEntropy - count * Math.LN2) < 1e-9);
  };

  it('writes down what it measures: cross-entropy, accuracy, and the softmax on the probe', () => {
    const { board, admitted, left, measurements } = hold(
      emptyBoard(2),
      [applicant([1, 1, 1]), applicant([2, 2, 2])],
      learnerOf(ROWS),
    );
    assert.deepEqual(pathsOf(board.entries), [[2, 2, 2], [1, 1, 1]]); // prettier-ignore
    nats(1)(board.entries[0]!);
    nats(1.5)(board.entries[1]!);
    assert.deepEqual(board.entries.map(({ accuracy }) => accuracy), [1, 0.5]); // prettier-ignore
    assert.deepEqual([...board.entries[0]!.probabilities], [0.25, 0.25, 0.5]);
    assert.deepEqual(
      board.entries.map(({ macs, since }) => [macs, since]),
      [[tinyMacs([2, 2, 2]), 70], [tinyMacs([1, 1, 1]), 70]], // prettier-ignore
    );
    assert.deepEqual([admitted, left, measurements], [[[2, 2, 2], [1, 1, 1]], [], 2]); // prettier-ignore
  });

  it('measures the board anew, and judges applicants by what its paths are worth now', () => {
    // Its stored numbers are a lucky day's: by them nobody could take its place.
    const lucky = tinyEntry([0, 0, 0], { crossEntropy: 0.01, accuracy: 1, macs: 1e9, since: 3 });
    const applicants = [{ ...applicant([1, 1, 1]), macs: 1e9 }];
    for (const rule of [paretoRule, officialRule(() => 0.25)]) {
      const round = hold(boardOf(1, lucky), applicants, learnerOf(ROWS), rule);
      assert.deepEqual([round.admitted, round.left], [[[1, 1, 1]], [[0, 0, 0]]]);
      assert.equal(round.measurements, 2);
    }
  });

  it('keeps the age of an entry that stays', () => {
    const old = tinyEntry([1, 1, 1], { crossEntropy: 9, accuracy: 0, since: 3 });
    const { board, admitted, left } = hold(boardOf(2, old), [], learnerOf(ROWS));
    const [entry] = board.entries;
    nats(1.5)(entry!);
    assert.deepEqual([entry!.accuracy, entry!.since, entry!.macs], [0.5, 3, old.macs]);
    assert.deepEqual([...entry!.probabilities], [0.5, 0.5, 0]);
    assert.deepEqual([admitted, left], [[], []]);
    assert.equal(old.crossEntropy, 9, 'the old board is untouched');
  });

  it('drops an entry whose numbers are not finite, and admits no such applicant', () => {
    const broken = (at: number) => ROWS['2.2.2'].map((p, i) => (i === at ? NaN : p));
    for (const at of [0, 5, 8]) {
      const learner = learnerOf({ ...ROWS, '2.2.2': broken(at) });
      const board = boardOf(3, tinyEntry([2, 2, 2], { crossEntropy: 0 }), tinyEntry([1, 1, 1]));
      const dropped = hold(board, [], learner);
      assert.deepEqual(pathsOf(dropped.board.entries), [[1, 1, 1]]);
      assert.deepEqual(dropped.left, [[2, 2, 2]]);
      const refused = hold(emptyBoard(3), [applicant([2, 2, 2])], learner);
      assert.deepEqual([refused.board.entries, refused.admitted], [[], []]);
      assert.equal(refused.measurements, 1);
    }
  });
});

describe('holdRound, on a supernet', () => {
  let engine: Engine;
  let supernet: Supernet;
  const probe = probeOf(tinyHeldOut.board, 2);

  before(async () => {
    engine = await nativeEngine();
    supernet = tinySupernet(engine);
  });
  after(() => {
    supernet.dispose();
  });

  function hold(board: Board, applicants: readonly Applicant[], miniSet = tinyHeldOut.board) {
    const learner = tinyLearner(supernet);
    const round = { learner, rule: paretoRule, step: 70, miniSet, probe };
    const outcome = holdRound(board, applicants, round);
    learner.dispose();
    return outcome;
  }

  it('follows the weights from round to round, and touches no running statistic', () => {
    const candidates: Path[] = [[1, 1, 1], [2, 1, 2], [0, 2, 1]]; // prettier-ignore
    let { board } = hold(emptyBoard(3), candidates.map((path) => applicant(path))); // prettier-ignore
    assert.equal(board.entries.length, 3);
    for (let step = 0; step < 3; step++) {
      for (const path of candidates) trainPath(supernet, path, tinyBatch(16, 'x', step));
      const moments = () =>
        supernet.running.entries().map(([name, { mean }]) => [name, engine.read(mean).slice()]);
      const running = moments();
      const next = hold(board, []).board;
      assert.deepEqual(moments(), running);
      for (const entry of next.entries) {
        const earlier = board.entries.find(({ path }) => pathKey(path) === pathKey(entry.path))!;
        assert.notEqual(entry.crossEntropy, earlier.crossEntropy);
        const { images, labels } = tinyHeldOut.board;
        const rows = predict(supernet, images, entry.path);
        const own = [...labels].map((label, i) => -Math.log(rows[3 * i + label]!));
        const wanted = own.reduce((sum, nats) => sum + nats) / labels.length;
        assert.ok(Math.abs(entry.crossEntropy - wanted) < 1e-6);
        assert.deepEqual(entry.probabilities, predict(supernet, images.slice(0, 2 * 192), entry.path)); // prettier-ignore
      }
      ({ board } = hold(next, []));
      assert.deepEqual(board, next, 'the same weights, the same numbers');
    }
  });

  it('empties a board whose outputs are no numbers', () => {
    const board = boardOf(2, tinyEntry([1, 1, 1]), tinyEntry([2, 1, 2]));
    assert.deepEqual(hold(board, [], spoiled(tinyHeldOut.board)).board, emptyBoard(2));
  });
});

describe('roundInterval', () => {
  it('lets a round of a full board and as many applicants take a tenth of the work, by hand', () => {
    // Twenty paths on 264 images are 5280 passes; a step of 128 images is worth 384, a tenth 38.4.
    assert.equal(roundInterval(10, { images: 264, batchSize: 128 }), 138);
    assert.equal(roundInterval(2, { images: 34, batchSize: 16 }), 29);
    assert.equal(roundInterval(1, { images: 3, batchSize: 20 }), 1);
  });

  it('is the shortest that does so, for all sizes', () => {
    const size = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(size, size, size, (boardSize, images, batchSize) => {
        const passes = 2 * boardSize * images;
        const interval = roundInterval(boardSize, { images, batchSize });
        const enough = (steps: number): boolean => 10 * passes <= 3 * batchSize * steps;
        assert.ok(enough(interval) && !enough(interval - 1), String(interval));
      }),
    );
  });
});

describe('probeOf', () => {
  it('takes the first images of the mini-set, or all', () => {
    const { board } = tinyHeldOut;
    const probe = probeOf(board, 3);
    assert.deepEqual(probe.images, board.images.slice(0, 3 * 192));
    assert.deepEqual(probe.labels, board.labels.slice(0, 3));
    assert.equal(probeOf(board, 99).count, 32);
  });
});
