import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SavedState } from '../../../src/algorithms/algorithm.ts';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import { createMetaNetwork } from '../../../src/algorithms/cream/meta-network.ts';
import { NO_ACTIVITY, type CreamState } from '../../../src/algorithms/cream/state.ts';
import type { SavedCream } from '../../../src/generated/cream-state.ts';
import { tinyEntry, tinySearch } from '../../support/tiny.ts';

const INVALID = { code: 'CHECKPOINT_INVALID' };
const { algorithm } = tinySearch(cream);

/** A state in which no number is one that it began with. */
function wornState(): CreamState {
  const meta = createMetaNetwork(6, 5);
  const mean = { weight: Float64Array.of(Math.PI, -0, 1e-300, 1 / 3, 5e-324, -1), bias: 1e-17 };
  const square = { weight: Float64Array.of(0.1, 0.2, 0.3, 1e-40, 5e-324, 7), bias: 0.7 };
  return {
    meta: { ...meta, bias: 1 / 3, mean, square, steps: 12 },
    board: {
      capacity: 4,
      entries: [
        tinyEntry([2, 1, 2], { accuracy: 2 / 3, crossEntropy: 0.1 + 0.7, since: 21 }),
        tinyEntry([0, 1, 0], { accuracy: 0.1, crossEntropy: 1e-9, since: 50 }),
      ],
    },
    applicants: [
      { path: [1, 1, 1], macs: 12_345, lead: 0.1 + 0.2 },
      { path: [0, 2, 1], macs: 1, lead: -1 / 3 },
    ],
    activity: {
      ...NO_ACTIVITY,
      measurements: 3,
      admissions: 2,
      boardOpenedAtEpoch: 1,
      rhoMin: 0.3,
    },
    tally: {
      lessons: 7,
      kd: 0.1 + 0.2,
      rho: 1e-9,
      rhoSquare: 1e-18,
      teachers: [{ path: [2, 1, 2], lessons: 7 }],
      admitted: 2,
      left: 1,
    },
  };
}

/** A saved state as a file gives it back, its JSON changed. */
function saved(change: (values: SavedCream) => object = (values) => values): SavedState {
  const { values, arrays } = structuredClone(algorithm.save(wornState()));
  const read = JSON.parse(JSON.stringify(values)) as SavedCream;
  return { values: change(read) as SavedState['values'], arrays };
}

describe("Cream's state", () => {
  it('comes back from JSON and arrays bit for bit, and so does the first one', () => {
    assert.deepEqual(algorithm.restore(saved()), wornState());
    const first = algorithm.save(algorithm.initialState());
    assert.deepEqual(algorithm.restore(structuredClone(first)), algorithm.initialState());
  });

  it('takes no more numbers than are announced, with a full board', () => {
    const entries = [[0, 0, 0], [1, 1, 1], [2, 2, 2], [0, 1, 2]].map((path) => tinyEntry(path)); // prettier-ignore
    const { arrays } = algorithm.save({ ...wornState(), board: { capacity: 4, entries } });
    const count = arrays.reduce((sum, { values }) => sum + values.length, 0);
    assert.equal(count, algorithm.savedNumbers);
  });

  it('with paths of another space, missing or unknown values is refused', () => {
    const withPath = (path: number[]) => (values: SavedCream) => ({
      ...values,
      board: { ...values.board, entries: [{ ...values.board.entries[0]!, path }] },
    });
    const wrong: ((values: SavedCream) => object)[] = [
      withPath([0, 0, 3]),
      (values) => ({ ...values, applicants: [{ ...values.applicants[0]!, path: [0, 0, 3] }] }),
      ({ tally, ...values }) => ({ ...values, tally: { ...tally, teachers: [{ path: [3], lessons: 1 }] } }), // prettier-ignore
      ({ applicants: _, ...values }) => values,
      (values) => ({ ...values, meta: { ...values.meta, steps: -1 } }),
      (values) => ({ ...values, meta: { ...values.meta, biasSquare: null } }),
      withPath([0, 0]),
      withPath([0, 0.5, 0]),
      ({ meta: _, ...values }) => values,
      (values) => ({ ...values, more: 1 }),
      (values) => ({ ...values, tally: { ...values.tally, kd: null } }),
      () => ({}),
    ];
    for (const change of wrong) {
      assert.throws(() => algorithm.restore(saved(change)), INVALID, String(change));
    }
  });

  it('with arrays that are missing, misshapen or nobody’s is refused', () => {
    const whole = saved();
    const [first, ...others] = whole.arrays;
    const wrong = [
      others,
      [{ ...first!, shape: [1, ...first!.shape] }, ...others],
      [...whole.arrays, { ...first!, name: 'board/9' }],
      [{ ...first!, values: Float32Array.from(first!.values) }, ...others],
      whole.arrays.filter(({ name }) => name !== 'meta/square'),
      whole.arrays.filter(({ name }) => name !== 'board/1'),
      whole.arrays.map((each) => (each.name === 'board/0' ? { ...each, shape: [2, 3] } : each)),
    ];
    for (const arrays of wrong) {
      assert.throws(() => algorithm.restore({ ...whole, arrays }), INVALID);
    }
  });

  it('of another size of probe is refused', () => {
    const other = tinySearch(cream, { probeImages: 3 }).algorithm;
    assert.throws(() => other.restore(saved()), INVALID);
  });
});
