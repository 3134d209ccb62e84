import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import { studentLoss } from '../../../src/algorithms/cream/loss.ts';
import { creamSettings } from '../../../src/algorithms/cream/settings.ts';
import type { CreamState } from '../../../src/algorithms/cream/state.ts';
import type { Batch } from '../../../src/data/stream/batch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { emptyBoard, insert } from '../../../src/algorithms/cream/board.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { admit, canAfford } from '../../../src/algorithms/cream/admission.ts';
import { accuracyOf } from '../../../src/supernet/classification.ts';
import { predict } from '../../../src/supernet/inference.ts';
import { nativeEngine } from '../../support/engine.ts';
import {
  tinyBatch,
  tinyEntry,
  spoiled,
  tinyHeldOut,
  tinyLearner,
  tinyMacs,
  tinySearch,
  tinySetting,
  tinySupernet,
} from '../../support/tiny.ts';

const changes = { warmupEpochs: 2, accGap: 0.0625 };
const state: CreamState = tinySearch(cream, changes).algorithm.initialState();
const batch = tinyBatch(16, 'x', 0);
const LATE = 1000;

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

function applicant(path: Path, step = LATE) {
  const teacher = { entry: tinyEntry([0, 0, 0]), rho: 0.5 };
  const learner = tinyLearner(supernet);
  const lossOf = studentLoss(supernet, batch, teacher, 0.1);
  const trained = learner.gradientsOf(path, batch, lossOf);
  assert.ok(learner.update([trained]));
  learner.dispose();
  const { logits, probabilities } = trained.outputs;
  const accuracy = accuracyOf(logits!, batch.labels);
  return { path, macs: tinyMacs(path), step, batch, accuracy, probabilities: probabilities! };
}

function office(epoch = 2, miniSet: Batch = tinyHeldOut.board) {
  const settings = creamSettings(tinySetting(changes));
  return { learner: tinyLearner(supernet), settings, epoch, miniSet };
}

describe('admit', () => {
  it('nobody enters or is measured before the warm-up is over', () => {
    const early = admit(state, applicant([1, 1, 1]), office(1));
    assert.deepEqual(early, { board: state.board, measured: false, admitted: false });
    const open = admit(state, applicant([1, 1, 1]), office(2));
    assert.deepEqual([open.measured, open.admitted, open.board.entries.length], [true, true, 1]);
  });

  it('measures on the mini-set by its batch statistics and records no statistics', () => {
    const candidate = applicant([1, 1, 1]);
    const moments = () =>
      supernet.running.entries().map(([name, { mean }]) => [name, engine.read(mean).slice()]);
    const running = moments();
    const { board } = admit(state, candidate, office());
    const { board: miniSet } = tinyHeldOut;
    const entry = board.entries[0]!;
    const wanted = accuracyOf(predict(supernet, miniSet.images, [1, 1, 1]), miniSet.labels);
    assert.equal(entry.accuracy, wanted);
    assert.equal(entry.batchAccuracy, candidate.accuracy);
    assert.equal(entry.macs, tinyMacs([1, 1, 1]));
    assert.equal(entry.step, LATE);
    assert.deepEqual(moments(), running);
  });

  it("an entry's probe is its own softmax in the forward pass that trained it", () => {
    const paths = [[1, 1, 1], [2, 1, 2]]; // prettier-ignore
    const [a, b] = paths.map((path) => {
      // What the path says before its weights change: the trained forward pass.
      const own = predict(supernet, batch.images, path);
      const { board } = admit(state, applicant(path), office());
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
    const { measured, board } = admit(full, applicant([1, 1, 1]), office());
    assert.equal(measured, false);
    assert.equal(board, full.board);
  });

  it('refuses a candidate that the mini-set does not confirm', () => {
    const certain = tinyEntry([0, 1, 0], 1);
    const full = { ...state, board: insert(emptyBoard(1), { ...certain, batchAccuracy: -1 }) };
    const refused = admit(full, applicant([1, 1, 1]), office());
    assert.deepEqual(refused, { board: full.board, measured: true, admitted: false });
  });

  it('refuses a path whose outputs are not numbers, although there is room', () => {
    const candidate = applicant([1, 1, 1]);
    const refused = admit(state, candidate, office(2, spoiled(tinyHeldOut.board))); // prettier-ignore
    assert.deepEqual(refused, { board: state.board, measured: true, admitted: false });
  });

  it('waits with a measurement that the training so far cannot afford', () => {
    // A measurement is 32 forward passes, a step 3 x 16: the seventh step pays for the first.
    const measured = [5, 6].map(
      (step) => admit(state, applicant([1, 1, 1], step), office()).measured,
    );
    assert.deepEqual(measured, [false, true]);
  });
});

describe('canAfford', () => {
  it('keeps measurements within a tenth of the training work, whatever the sizes', () => {
    for (const [batchSize, miniSet] of [
      [16, 256],
      [64, 256],
      [128, 256],
      [256, 32],
    ] as const) {
      // prettier-ignore
      let measurements = 0;
      for (let step = 0; step < 500; step++) {
        if (canAfford(measurements, step, batchSize / miniSet)) measurements++;
        // One forward pass of the mini-set, beside forward and backward passes of the batches.
        const share = (measurements * miniSet) / (3 * batchSize * (step + 1));
        assert.ok(share <= 0.1 + 1e-12, `${share} at step ${step}`);
      }
      const wanted = Math.min(500, Math.floor((0.1 * 3 * batchSize * 500) / miniSet));
      assert.equal(measurements, wanted, 'and what can be afforded is used');
    }
  });
});
