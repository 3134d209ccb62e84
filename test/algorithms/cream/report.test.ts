import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Score } from '../../../src/algorithms/algorithm.ts';
import { emptyBoard } from '../../../src/algorithms/cream/board.ts';
import { createMetaNetwork } from '../../../src/algorithms/cream/meta-network.ts';
import { creamMetrics, describeCream, tellCream } from '../../../src/algorithms/cream/report.ts';
import {
  advance,
  EMPTY_TALLY,
  NO_ACTIVITY,
  type CreamState,
  type StepRecord,
} from '../../../src/algorithms/cream/state.ts';
import { tinyEntry, tinySpace, twinSpace } from '../../support/tiny.ts';

const entries = [tinyEntry([2, 1, 2]), tinyEntry([0, 1, 0], { since: 59 })];

const first: CreamState = {
  meta: createMetaNetwork(6, 5),
  board: emptyBoard(4),
  applicants: [],
  activity: NO_ACTIVITY,
  tally: EMPTY_TALLY,
};

const idle: StepRecord = {
  epoch: 3,
  meta: first.meta,
  applicants: [],
  round: null,
  lessons: [],
};

function lesson(teacher: number[], kd: number, rho: number) {
  return { teacher, kd, rho };
}

/** Three lessons in two steps: rho 0.2, 0.6 and 0.4; kd 1, 2 and 6. A round: two came, one left. */
function taught(): CreamState {
  const round = {
    board: { capacity: 4, entries },
    admitted: entries.map(({ path }) => path),
    left: [[1, 1, 1]],
    measurements: 7,
  };
  const lessons = [lesson([0, 1, 0], 1, 0.2), lesson([2, 1, 2], 2, 0.6)];
  const once = advance(first, { ...idle, round, lessons });
  const moved = { ...first.meta, bias: 1 };
  return advance(once, { ...idle, epoch: 4, meta: moved, lessons: [lesson([2, 1, 2], 6, 0.4)] });
}

function score(path: number[], accuracy: number): Score {
  return { path, accuracy, crossEntropy: 1 };
}

const near = (actual: number, wanted: number): void => {
  assert.ok(Math.abs(actual - wanted) < 1e-12, `${actual} for ${wanted}`);
};

describe('advance', () => {
  it('adds up what steps did', () => {
    const { activity, board, tally } = taught();
    assert.deepEqual(board.entries, entries);
    const { rhoSum, ...others } = activity;
    assert.deepEqual(others, {
      measurements: 7,
      admissions: 2,
      boardOpenedAtEpoch: 3,
      metaSteps: 1,
      lessons: 3,
      rhoMin: 0.2,
      rhoMax: 0.6,
    });
    near(rhoSum, 1.2);
    assert.deepEqual([tally.lessons, tally.kd, tally.admitted, tally.left], [3, 9, 2, 1]);
    near(tally.rhoSquare, 0.04 + 0.36 + 0.16);
    assert.deepEqual(new Map(tally.teachers.map(({ path, lessons }) => [path.join(), lessons])), new Map([['2,1,2', 2], ['0,1,0', 1]])); // prettier-ignore
  });

  it('keeps the board and counts nothing in a step without a round or a teacher', () => {
    const before = taught();
    const waiting = [{ path: [1, 1, 1], macs: 1, lead: 0.5 }];
    const after = advance(before, { ...idle, meta: before.meta, applicants: waiting });
    assert.deepEqual(after, { ...before, applicants: waiting });
  });

  it('does not open the board by a round that admits nobody', () => {
    const round = { board: emptyBoard(4), admitted: [], left: [], measurements: 2 };
    const { activity } = advance(first, { ...idle, round });
    assert.deepEqual([activity.boardOpenedAtEpoch, activity.measurements], [null, 2]);
  });
});

describe('the metrics of Cream', () => {
  it('are means over the lessons of the epoch, and the deviation of rho', () => {
    const metrics = creamMetrics(taught(), [score([2, 1, 2], 0.75), score([0, 1, 0], 0.5)]);
    const { rhoSpread, rho, ...others } = metrics;
    assert.deepEqual(others, { kdLoss: 3, boardMean: 0.625, boardChanges: 2, teachers: 2 });
    near(rho, 0.4);
    near(rhoSpread, Math.sqrt(0.08 / 3));
  });

  it('are 0 where nobody was taught', () => {
    const metrics = creamMetrics(first, [score([2, 1, 2], 0.75)]);
    assert.deepEqual(metrics, {
      kdLoss: 0,
      rho: 0,
      rhoSpread: 0,
      boardMean: 0.75,
      boardChanges: 0,
      teachers: 0,
    });
  });
});

describe('what Cream tells of an epoch', () => {
  const ranking = [score([0, 1, 0], 0.75), score([2, 1, 2], 0.5)];

  it("names the best path and the busiest teacher, the board's changes, and the spread of rho", () => {
    assert.equal(
      tellCream(taught(), ranking, tinySpace),
      'best of the board: identity mb2_k3 identity; board of 2: 2 came, 1 left; ' +
        '2 taught, most often mb3_k5 mb2_k3 mb3_k5 (2 of 3); rho 0.400 +- 0.163',
    );
  });

  it('says that nobody taught in the epoch in which the board opens at the very end', () => {
    const opened = { ...taught(), tally: { ...EMPTY_TALLY, admitted: 2 } };
    assert.equal(
      tellCream(opened, ranking, tinySpace),
      'best of the board: identity mb2_k3 identity; board of 2: 2 came, 0 left; nobody taught',
    );
  });

  it('says so while the board is closed', () => {
    assert.equal(tellCream(first, ranking, tinySpace), 'the board is still closed');
  });
});

describe('what the result says of Cream', () => {
  const schedule = { epochs: 3, stepsPerEpoch: 20, totalSteps: 60 };

  it('lists the ranked paths of the board by what was measured last, twins by their entry', () => {
    // Identity first and identity last: of this space they are one network.
    const kept = tinyEntry([0, 1, 0], { macs: 1, accuracy: 0.25, crossEntropy: 1.5, since: 59 });
    const state = { ...first, board: { capacity: 4, entries: [kept] } };
    const ranking = [score([1, 1, 1], 0.9), score([0, 0, 1], 0.8)];
    const { board } = describeCream(state, ranking, { seed: 5, schedule, space: twinSpace });
    const facts = { miniSetTop1: 0.25, miniSetCrossEntropy: 1.5, epoch: 2 };
    assert.deepEqual(board, [{ path: [0, 0, 1], facts }]);
  });

  it('says how far phi went, in lengths of what it started from', () => {
    const { weight } = first.meta;
    const length = Math.hypot(...weight);
    const meta = { ...first.meta, weight: weight.map((w) => 1.5 * w), bias: 0 };
    const state = { ...taught(), meta };
    const { activity, summary } = describeCream(state, [], { seed: 5, schedule, space: tinySpace });
    near(activity['phiChange']!, (0.5 * length) / length);
    near(activity['rhoMean']!, 0.4);
    assert.equal(
      summary,
      'the board opened in epoch 4; 7 measurements, 2 admissions, 1 meta steps; ' +
        'phi moved by 50.00 %; rho from 0.200 to 0.600',
    );
  });

  it('has plain zeros where nothing happened', () => {
    const { activity, summary } = describeCream(first, [], { seed: 5, schedule, space: tinySpace });
    assert.deepEqual(activity, {
      boardOpenedAtEpoch: null,
      measurements: 0,
      admissions: 0,
      metaSteps: 0,
      phiChange: 0,
      lessons: 0,
      rhoMin: 0,
      rhoMax: 0,
      rhoMean: 0,
    });
    assert.match(summary, /^the board stayed empty; /);
  });
});
