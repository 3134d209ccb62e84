import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SavedState } from '../../../src/algorithms/algorithm.ts';
import { creamOfficial } from '../../../src/algorithms/cream-official/cream-official.ts';
import type { OfficialState } from '../../../src/algorithms/cream-official/state.ts';
import type { SavedCreamOfficial } from '../../../src/generated/cream-official-state.ts';
import { tinySearch } from '../../support/tiny.ts';
import { boardOf, officialEntry } from './support.ts';

const INVALID = { code: 'CHECKPOINT_INVALID' };
const { algorithm } = tinySearch(creamOfficial);

/** A state whose every number is one that JSON has to keep exactly. */
function wornState(): OfficialState {
  const { meta, activity } = algorithm.initialState();
  return {
    meta: {
      weight: meta.weight.map((w) => w / 3),
      bias: 0.1 + 0.2,
      velocity: { weight: meta.weight.map((w) => w / 7), bias: 1e-9 },
    },
    board: boardOf(officialEntry([1, 1, 1], 1 / 3), officialEntry([1, 1, 1], 0.25)),
    activity: { ...activity, admissions: 2, boardOpenedAtEpoch: 1, rhoMin: 0.3 },
    tally: { distilled: 7, kd: 0.1 + 0.2, rho: 1e-9 },
  };
}

/** A saved state as a file gives it back, its JSON changed. */
function saved(change: (values: SavedCreamOfficial) => object = (values) => values): SavedState {
  const { values, arrays } = structuredClone(algorithm.save(wornState()));
  const read = JSON.parse(JSON.stringify(values)) as SavedCreamOfficial;
  return { values: change(read) as SavedState['values'], arrays };
}

describe('the saved state of cream-official', () => {
  it('comes back from JSON and arrays bit for bit, a path that stands twice too', () => {
    assert.deepEqual(algorithm.restore(saved()), wornState());
  });

  it('takes as many numbers as are announced, with a full board', () => {
    const board = boardOf(...[0, 1, 2, 3].map((i) => officialEntry([0, 1, i % 3])));
    const { arrays } = algorithm.save({ ...wornState(), board });
    const count = arrays.reduce((sum, { values }) => sum + values.length, 0);
    assert.equal(count, algorithm.savedNumbers);
  });

  it('with paths of another space, too many of them, missing or unknown values is refused', () => {
    const withPath = (path: number[]) => (values: SavedCreamOfficial) => ({
      ...values,
      board: [{ ...values.board[0]!, path }],
    });
    const wrong: ((values: SavedCreamOfficial) => object)[] = [
      withPath([0, 0, 3]),
      withPath([0, 0]),
      ({ board, ...values }) => ({ ...values, board: [...board, ...board, ...board] }),
      ({ meta: _, ...values }) => values,
      (values) => ({ ...values, more: 1 }),
      (values) => ({ ...values, tally: { ...values.tally, kd: null } }),
      () => ({}),
    ];
    for (const change of wrong) {
      assert.throws(() => algorithm.restore(saved(change)), INVALID, String(change));
    }
  });

  it('with arrays that are missing, misshapen or nobody’s, or of another probe, is refused', () => {
    const whole = saved();
    const [first, ...others] = whole.arrays;
    const wrong = [
      others,
      [{ ...first!, shape: [1, ...first!.shape] }, ...others],
      [...whole.arrays, { ...first!, name: 'board/9/images' }],
      [{ ...first!, values: Float32Array.from(first!.values) }, ...others],
    ];
    for (const arrays of wrong) {
      assert.throws(() => algorithm.restore({ ...whole, arrays }), INVALID);
    }
    const other = tinySearch(creamOfficial, { probeImages: 3 }).algorithm;
    assert.throws(() => other.restore(saved()), INVALID);
  });
});
