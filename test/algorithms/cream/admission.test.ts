import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../../src/engine/engine.ts';
import { emptyBoard, insert } from '../../../src/algorithms/cream/board.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { admit } from '../../../src/algorithms/cream/admission.ts';
import { accuracyOf } from '../../../src/training/losses.ts';
import { initialState, type SearchState } from '../../../src/training/state.ts';
import { predict, trainStudent } from '../../../src/training/student.ts';
import { nativeEngine } from '../../support/engine.ts';
import {
  tinyBatch,
  tinyEntry,
  tinyHeldOut,
  tinyMacs,
  tinyPlan,
  tinySupernet,
  trainingSettings,
} from '../../support/tiny.ts';

const plan = tinyPlan({ warmupEpochs: 2, accGap: 0.0625 });
const batch = tinyBatch(16, 'x', 0);
const LATE = 1000;

let engine: Engine;
let supernet: Supernet;
let state: SearchState;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
  state = initialState(supernet, plan);
});
after(() => {
  supernet.dispose();
});

function applicant(path: Path, step = LATE) {
  const lesson = { probabilities: predict(supernet, batch.images, [0, 0, 0]), rho: 0.5 };
  const result = trainStudent(supernet, { path, batch, lesson }, trainingSettings)!;
  return { path, macs: tinyMacs(path), step, batch, result };
}

function settings(epoch = 2) {
  return { plan, epoch, miniSet: tinyHeldOut.board };
}

describe('admit', () => {
  it('case 8: nobody enters or is measured before the warm-up is over', () => {
    const early = admit(supernet, state, applicant([1, 1, 1]), settings(1));
    assert.deepEqual(early, { board: state.board, measured: false, admitted: false });
    const open = admit(supernet, state, applicant([1, 1, 1]), settings(2));
    assert.deepEqual([open.measured, open.admitted, open.board.entries.length], [true, true, 1]);
  });

  it('measures on the mini-set by its batch statistics and records no statistics', () => {
    const candidate = applicant([1, 1, 1]);
    const moments = () =>
      supernet.running.entries().map(([name, { mean }]) => [name, engine.read(mean).slice()]);
    const running = moments();
    const { board } = admit(supernet, state, candidate, settings());
    const { board: miniSet } = tinyHeldOut;
    const entry = board.entries[0]!;
    const wanted = accuracyOf(predict(supernet, miniSet.images, [1, 1, 1]), miniSet.labels);
    assert.equal(entry.accuracy, wanted);
    assert.equal(entry.batchAccuracy, candidate.result.accuracy);
    assert.equal(entry.macs, tinyMacs([1, 1, 1]));
    assert.equal(entry.step, LATE);
    assert.deepEqual(moments(), running);
  });

  it("case 9: an entry's probe is its own softmax in the forward pass that trained it", () => {
    const paths = [[1, 1, 1], [2, 1, 2]]; // prettier-ignore
    const [a, b] = paths.map((path) => {
      // What the path says before its weights change: the trained forward pass.
      const own = predict(supernet, batch.images, path);
      const { board } = admit(supernet, state, applicant(path), settings());
      const { probe } = board.entries[0]!;
      assert.deepEqual(probe.images, batch.images.slice(0, 2 * 8 * 8 * 3));
      assert.equal(probe.probabilities.length, 2 * 3);
      probe.probabilities.forEach((p, i) => {
        assert.ok(Math.abs(p - own[i]!) < 1e-6);
      });
      return probe.probabilities;
    });
    assert.ok(a!.some((p, i) => Math.abs(p - b![i]!) > 1e-3), 'same teacher, different features'); // prettier-ignore
  });

  it('measures only what the training batch makes a candidate', () => {
    const certain = tinyEntry([0, 1, 0], 1);
    const full = { ...state, board: insert(emptyBoard(1), { ...certain, batchAccuracy: 1 }) };
    const { measured, board } = admit(supernet, full, applicant([1, 1, 1]), settings());
    assert.equal(measured, false);
    assert.equal(board, full.board);
  });

  it('refuses a candidate that the mini-set does not confirm', () => {
    const certain = tinyEntry([0, 1, 0], 1);
    const full = { ...state, board: insert(emptyBoard(1), { ...certain, batchAccuracy: -1 }) };
    const refused = admit(supernet, full, applicant([1, 1, 1]), settings());
    assert.deepEqual(refused, { board: full.board, measured: true, admitted: false });
  });

  it('R8: refuses a path whose outputs are not numbers, although there is room', () => {
    const candidate = applicant([1, 1, 1]);
    const { board: miniSet } = tinyHeldOut;
    const images = new Float32Array(miniSet.images.length).fill(NaN);
    const refused = admit(supernet, state, candidate, { ...settings(), miniSet: { ...miniSet, images } }); // prettier-ignore
    assert.deepEqual(refused, { board: state.board, measured: true, admitted: false });
  });

  it('waits with a measurement that the training so far cannot afford', () => {
    // A measurement is 32 forward passes, a step 3 x 16: the seventh step pays for the first.
    const measured = [5, 6].map(
      (step) => admit(supernet, state, applicant([1, 1, 1], step), settings()).measured,
    );
    assert.deepEqual(measured, [false, true]);
  });
});
