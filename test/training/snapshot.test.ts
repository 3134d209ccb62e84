import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { cream } from '../../src/algorithms/cream/cream.ts';
import type { CreamState } from '../../src/algorithms/cream/state.ts';
import type { SavedCream } from '../../src/generated/cream-state.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { train, type TrainingContext } from '../../src/training/loop.ts';
import {
  restoreSnapshot,
  restoreWeights,
  takeSnapshot,
  type Snapshot,
} from '../../src/training/snapshot.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyContext, tinySearch, tinySupernet } from '../support/tiny.ts';

const INVALID = { code: 'CHECKPOINT_INVALID' };

let engine: Engine;
/** Pieces of work of the whole search: steps, ranking batches, reports. */
let pieces = 0;
let undisturbed: Snapshot;

const search = tinySearch(cream, { epochs: 3, imagesPerEpoch: 192 });
const { plan, algorithm } = search;

const rollBack = (): Promise<never> => Promise.reject(new Error('nothing was saved'));

before(async () => {
  engine = await nativeEngine();
  const checkpoint = (): Promise<void> => {
    pieces++;
    return Promise.resolve();
  };
  undisturbed = await runFrom(null, { keeper: { checkpoint, rollBack } });
});

function restore(snapshot: Snapshot, supernet: Supernet): SearchState<CreamState> {
  return restoreSnapshot(snapshot, { supernet, algorithm, plan });
}

/** Runs to the end from a snapshot, or from the start, on a supernet of its own. */
async function runFrom(
  snapshot: Snapshot | null,
  changes: Partial<TrainingContext<CreamState>>,
): Promise<Snapshot> {
  const supernet = tinySupernet(engine, plan.seed);
  try {
    const first = initialState(supernet, algorithm.initialState());
    const start = snapshot === null ? first : restore(snapshot, supernet);
    const state = await train(start, tinyContext(supernet, search, changes));
    return structuredClone(takeSnapshot(state, search));
  } finally {
    supernet.dispose();
  }
}

/** What a search that ends after so many pieces of work leaves. */
async function snapshotAfter(count: number): Promise<Snapshot> {
  let done = 0;
  let taken: Snapshot | undefined;
  const checkpoint = (state: SearchState<CreamState>): Promise<void> => {
    if (++done < count) return Promise.resolve();
    taken = structuredClone(takeSnapshot(state, search));
    return Promise.reject(new Error('killed'));
  };
  await assert.rejects(runFrom(null, { keeper: { checkpoint, rollBack } }), /killed/);
  // As a file would give it back.
  const values = JSON.parse(JSON.stringify(taken!.values)) as Snapshot['values'];
  return { ...taken!, values };
}

/** Cream's part. */
function ownOf({ values }: Snapshot): SavedCream {
  return values.algorithm as unknown as SavedCream;
}

/** All but the clock's readings. */
function withoutTime({ arrays, values }: Snapshot): object {
  const reports = values.reports.map((report) => ({ ...report, imagesPerSecond: 0 }));
  return { arrays, ...values, time: null, tally: { ...values.tally, ms: 0 }, reports };
}

describe('a snapshot', () => {
  it('restored at any piece of work, the search ends with the bits of an undisturbed one', async () => {
    const { activity, board } = ownOf(undisturbed);
    assert.ok(activity.metaSteps > 0);
    assert.ok(board.entries.length > 0);
    for (let count = 1; count < pieces; count += 13) {
      const resumed = await runFrom(await snapshotAfter(count), {});
      assert.deepEqual(withoutTime(resumed), withoutTime(undisturbed), `after ${count} pieces`);
    }
  });

  it('taken at half and beyond half, it goes on from there and not from the start', async () => {
    for (const share of [0.5, 0.75]) {
      const snapshot = await snapshotAfter(Math.ceil(pieces * share));
      let steps = 0;
      await runFrom(snapshot, { emit: ({ kind }) => void (steps += Number(kind === 'step')) });
      assert.ok(snapshot.values.step > 0);
      assert.equal(steps, plan.totalSteps - snapshot.values.step);
    }
  });

  it('the learning rates of a resumed search are those of an undisturbed one', async () => {
    const resumed = await runFrom(await snapshotAfter(17), {});
    const rates = ({ values }: Snapshot): number[] => values.reports.map((report) => report['lr']!);
    assert.deepEqual(rates(resumed), rates(undisturbed));
    assert.equal(new Set(rates(resumed)).size, plan.epochs);
  });

  it('restored into the same supernet leaves no tensor behind', () => {
    const supernet = tinySupernet(engine);
    restore(undisturbed, supernet);
    const before = engine.tensorCount();
    restore(undisturbed, supernet);
    assert.equal(engine.tensorCount(), before);
    supernet.dispose();
  });

  it('that no search of the plan can leave is refused', () => {
    const supernet = tinySupernet(engine);
    const { values } = undisturbed;
    const own = ownOf(undisturbed);
    const [entry, ...entries] = own.board.entries;
    const withFirst = (path: number[]) => ({
      algorithm: { ...own, board: { ...own.board, entries: [{ ...entry!, path }, ...entries] } },
    });
    const impossible: Partial<Snapshot['values']>[] = [
      { step: plan.totalSteps + 1 },
      { step: plan.totalSteps - 1 },
      { reports: values.reports.slice(1), step: plan.totalSteps + 1 },
      { reports: [...values.reports, ...values.reports] },
      { ranking: [] },
      { ranking: [{ path: [0, 0, 3], accuracy: 1, crossEntropy: 0 }] },
      withFirst([0, -1, 0]),
      withFirst([0, 0]),
      { algorithm: {} },
      { algorithm: { ...own, more: 1 } },
    ];
    restore(undisturbed, supernet);
    for (const changes of impossible) {
      const snapshot = { ...undisturbed, values: { ...values, ...changes } };
      const text = JSON.stringify(changes);
      assert.throws(() => restore(snapshot, supernet), INVALID, text);
    }
    supernet.dispose();
  });

  it('of another network is refused, and the supernet stays as it was', () => {
    const supernet = tinySupernet(engine);
    const numbers = () => takeSnapshot(initialState(supernet, algorithm.initialState()), search);
    const earlier = structuredClone(numbers());
    const [first, ...others] = undisturbed.arrays;
    const misshapen = { ...first!, shape: [1, ...first!.shape] };
    const stranger = { ...first!, name: 'weight/elsewhere' };
    const unmet = { ...first!, name: 'running/elsewhere/mean' };
    const unknown = { ...first!, name: 'algorithm/elsewhere' };
    const strangers = [stranger, unmet, unknown].map((array) => [...undisturbed.arrays, array]);
    for (const arrays of [others, [misshapen, ...others], ...strangers]) {
      assert.throws(() => restore({ ...undisturbed, arrays }, supernet), INVALID);
    }
    assert.deepEqual(numbers(), earlier);
    supernet.dispose();
  });

  it('gives its weights and statistics to another supernet, and nothing of the optimizer', () => {
    const supernet = tinySupernet(engine, 9);
    restoreWeights(undisturbed, supernet);
    const { arrays } = takeSnapshot(initialState(supernet, algorithm.initialState()), search);
    const inherited = undisturbed.arrays.filter(({ name }) => /^(weight|running)\//.test(name));
    assert.ok(inherited.length > 50);
    const own = arrays.filter(({ name }) => !name.startsWith('algorithm/'));
    assert.deepEqual(own, inherited);
    supernet.dispose();
  });

  it('whose weights are another network’s gives none, and the supernet stays as it was', () => {
    const supernet = tinySupernet(engine, 9);
    const values = supernet.parameters.map(({ value }) => value);
    const arrays = undisturbed.arrays.filter(({ name }) => name !== 'weight/head.2/bias');
    assert.throws(() => {
      restoreWeights({ ...undisturbed, arrays }, supernet);
    }, INVALID);
    assert.deepEqual(supernet.parameters.map(({ value }) => value), values); // prettier-ignore
    supernet.dispose();
  });
});
