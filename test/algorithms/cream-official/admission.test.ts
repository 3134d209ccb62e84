import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit, type Applicant } from '../../../src/algorithms/cream-official/admission.ts';
import { emptyBoard } from '../../../src/algorithms/cream-official/board.ts';
import { officialSettings } from '../../../src/algorithms/cream-official/settings.ts';
import { tinyBatch, tinySetting } from '../../support/tiny.ts';
import { boardOf, officialEntry } from './support.ts';

const settings = officialSettings(tinySetting({ warmupEpochs: 2, probeImages: 2 }));
const batch = tinyBatch(4, 'x', 0);
const own = Float32Array.from({ length: 12 }, (_, i) => i / 100);
const teaching = own.map((p) => 1 - p);

function applicant(changes: Partial<Applicant> = {}): Applicant {
  const merit = { path: [1, 1, 1], batchAccuracy: 0.5, macs: 10, step: 7 };
  return { ...merit, batch, probabilities: own, teaching, ...changes };
}

describe('admission in the released code', () => {
  it('stores with a path the softmax of its teacher on the first images of its batch', () => {
    const board = admit(boardOf(officialEntry([0, 0, 0])), applicant(), 2, settings);
    const { probe, ...entry } = board.entries.find(({ step }) => step === 7)!;
    assert.deepEqual(entry, { path: [1, 1, 1], batchAccuracy: 0.5, macs: 10, step: 7 });
    assert.deepEqual(probe.images, batch.images.slice(0, 2 * 8 * 8 * 3));
    assert.deepEqual(probe.probabilities, teaching.slice(0, 6));
  });

  it('gives two paths of one teacher and one batch the same stored outputs', () => {
    const [a, b] = [own, own.map((p) => p / 2)].map((probabilities, i) =>
      admit(emptyBoard(4), applicant({ path: [i, 1, 1], probabilities }), 2, settings),
    );
    assert.deepEqual(a!.entries[0]!.probe, b!.entries[0]!.probe);
  });

  it('stores the own softmax where nobody taught, which is so for the first entry', () => {
    const board = admit(emptyBoard(4), applicant({ teaching: null }), 2, settings);
    assert.deepEqual(board.entries[0]!.probe.probabilities, own.slice(0, 6));
  });

  it('waits for the warm-up, and refuses by the accuracy of the batch: the board is the same one', () => {
    const empty = emptyBoard(4);
    assert.equal(admit(empty, applicant(), 1, settings), empty);
    const full = boardOf(...[1, 2, 3, 4].map((i) => officialEntry([0, 0, i % 3], 0.5)));
    assert.equal(admit(full, applicant({ batchAccuracy: 0.5 }), 2, settings), full);
    assert.equal(admit(full, applicant({ batchAccuracy: 0.55, macs: 1e9 }), 2, settings), full);
    assert.notEqual(
      admit(full, applicant({ batchAccuracy: 0.5625, macs: 1e9 }), 2, settings),
      full,
    );
  });
});
