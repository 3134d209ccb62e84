import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { search, type SearchContext } from '../../src/training/loop.ts';
import { restoreSnapshot, takeSnapshot, type Snapshot } from '../../src/training/snapshot.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyContext, tinyPlan, tinySupernet } from '../support/tiny.ts';

const INVALID = { code: 'CHECKPOINT_INVALID' };

let engine: Engine;
/** Pieces of work of the whole search: steps, ranking batches, reports. */
let pieces = 0;
let undisturbed: Snapshot;

const plan = tinyPlan({ epochs: 3, imagesPerEpoch: 192 });

before(async () => {
  engine = await nativeEngine();
  const between = (): Promise<void> => {
    pieces++;
    return Promise.resolve();
  };
  undisturbed = await runFrom(null, { between });
});

/** Runs to the end from a snapshot, or from the start, on a supernet of its own. */
async function runFrom(
  snapshot: Snapshot | null,
  changes: Partial<SearchContext>,
): Promise<Snapshot> {
  const supernet = tinySupernet(engine, plan.seed);
  try {
    const first = initialState(supernet, plan);
    const start = snapshot === null ? first : restoreSnapshot(snapshot, supernet, plan);
    const { state } = await search(start, tinyContext({ plan, ...changes }));
    return structuredClone(takeSnapshot(state));
  } finally {
    supernet.dispose();
  }
}

/** What a search that ends after so many pieces of work leaves. */
async function snapshotAfter(count: number): Promise<Snapshot> {
  let done = 0;
  let taken: Snapshot | undefined;
  const between = (state: SearchState): Promise<void> => {
    if (++done < count) return Promise.resolve();
    taken = structuredClone(takeSnapshot(state));
    return Promise.reject(new Error('killed'));
  };
  await assert.rejects(runFrom(null, { between }), /killed/);
  // As a file would give it back.
  const values = JSON.parse(JSON.stringify(taken!.values)) as Snapshot['values'];
  return { ...taken!, values };
}

/** All but the clock's readings. */
function withoutTime({ arrays, values }: Snapshot): object {
  const reports = values.reports.map((report) => ({ ...report, imagesPerSecond: 0 }));
  return { arrays, ...values, time: null, tally: { ...values.tally, ms: 0 }, reports };
}

describe('a snapshot', () => {
  it('R1: restored at any piece of work, the search ends with the bits of an undisturbed one', async () => {
    assert.ok(undisturbed.values.activity.metaSteps > 0);
    assert.ok(undisturbed.values.board.entries.length > 0);
    for (let count = 1; count < pieces; count += 13) {
      const resumed = await runFrom(await snapshotAfter(count), {});
      assert.deepEqual(withoutTime(resumed), withoutTime(undisturbed), `after ${count} pieces`);
    }
  });

  it('R4: taken at half and beyond half, it goes on from there and not from the start', async () => {
    for (const share of [0.5, 0.75]) {
      const snapshot = await snapshotAfter(Math.ceil(pieces * share));
      let steps = 0;
      await runFrom(snapshot, { onStep: () => (steps += 1) });
      assert.ok(snapshot.values.step > 0);
      assert.equal(steps, plan.totalSteps - snapshot.values.step);
    }
  });

  it('R5: the learning rates of a resumed search are those of an undisturbed one', async () => {
    const resumed = await runFrom(await snapshotAfter(17), {});
    const rates = ({ values }: Snapshot): number[] => values.reports.map(({ lr }) => lr);
    assert.deepEqual(rates(resumed), rates(undisturbed));
    assert.equal(new Set(rates(resumed)).size, plan.epochs);
  });

  it('restored into the same supernet leaves no tensor behind', () => {
    const supernet = tinySupernet(engine);
    restoreSnapshot(undisturbed, supernet, plan);
    const before = engine.tensorCount();
    restoreSnapshot(undisturbed, supernet, plan);
    assert.equal(engine.tensorCount(), before);
    supernet.dispose();
  });

  it('that no search of the plan can leave is refused', () => {
    const supernet = tinySupernet(engine);
    const { values } = undisturbed;
    const [entry, ...entries] = values.board.entries;
    const impossible: Partial<Snapshot['values']>[] = [
      { step: plan.totalSteps + 1 },
      { step: plan.totalSteps - 1 },
      { reports: values.reports.slice(1), step: plan.totalSteps + 1 },
      { reports: [...values.reports, ...values.reports] },
      { ranking: [] },
      { ranking: [{ path: [0, 0, 3], accuracy: 1 }] },
      { board: { ...values.board, entries: [{ ...entry!, path: [0, -1, 0] }, ...entries] } },
      { board: { ...values.board, entries: [{ ...entry!, path: [0, 0] }, ...entries] } },
    ];
    restoreSnapshot(undisturbed, supernet, plan);
    for (const changes of impossible) {
      const snapshot = { ...undisturbed, values: { ...values, ...changes } };
      const text = JSON.stringify(changes);
      assert.throws(() => restoreSnapshot(snapshot, supernet, plan), INVALID, text);
    }
    supernet.dispose();
  });

  it('of another network is refused, and the supernet stays as it was', () => {
    const supernet = tinySupernet(engine);
    const earlier = structuredClone(takeSnapshot(initialState(supernet, plan)));
    const [first, ...others] = undisturbed.arrays;
    const misshapen = { ...first!, shape: [1, ...first!.shape] };
    const stranger = { ...first!, name: 'weight/elsewhere' };
    const unmet = { ...first!, name: 'running/elsewhere/mean' };
    const strangers = [stranger, unmet].map((array) => [...undisturbed.arrays, array]);
    for (const arrays of [others, [misshapen, ...others], ...strangers]) {
      assert.throws(() => restoreSnapshot({ ...undisturbed, arrays }, supernet, plan), INVALID);
    }
    assert.deepEqual(takeSnapshot(initialState(supernet, plan)), earlier);
    supernet.dispose();
  });
});
