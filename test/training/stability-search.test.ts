import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { search, type SearchContext } from '../../src/training/loop.ts';
import { restoreSnapshot, takeSnapshot, type Snapshot } from '../../src/training/snapshot.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinyContext, tinyPlan, tinySupernet } from '../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

const plan = tinyPlan({ epochs: 3, imagesPerEpoch: 192 });

/** Batches that are no numbers at the steps that `isBad` names. */
function batchesWith(isBad: (step: number) => boolean): SearchContext['batches'] {
  return {
    waitedMs: 0,
    next: (step) => {
      const batch = tinyBatch(plan.batchSize, 'training', step);
      return Promise.resolve(isBad(step) ? { ...batch, images: batch.images.fill(NaN) } : batch);
    },
  };
}

/** A search that remembers the state of its fourth step and goes back to it. */
async function run(isBad: (step: number) => boolean) {
  const supernet = tinySupernet(engine);
  let saved: Snapshot | undefined;
  let recalls = 0;
  const context = tinyContext({
    plan,
    batches: batchesWith(isBad),
    between: (state: SearchState) => {
      if (state.step === 4 && recalls === 0) saved = structuredClone(takeSnapshot(state));
      return Promise.resolve();
    },
    recall: () => {
      recalls++;
      return Promise.resolve(restoreSnapshot(saved!, supernet));
    },
  });
  try {
    const { state } = await search(initialState(supernet, plan), context);
    return { snapshot: structuredClone(takeSnapshot(state)), reporter: context.reporter, recalls };
  } finally {
    supernet.dispose();
  }
}

describe('R8: a search whose numbers leave the finite ones', () => {
  it('skips up to five such steps in a row, and says so in every report', async () => {
    const { snapshot, reporter, recalls } = await run((step) => step >= 13 && step < 18);
    assert.equal(recalls, 0);
    assert.equal(snapshot.values.step, plan.totalSteps);
    assert.deepEqual(
      reporter.intermediates.map(({ skippedSteps }) => skippedSteps),
      [0, 5, 5],
    );
    for (const metrics of [...reporter.intermediates, ...reporter.finals]) {
      assert.ok(Object.values(metrics).every(Number.isFinite), JSON.stringify(metrics));
    }
    for (const { name, values } of snapshot.arrays) {
      assert.ok(values.every(Number.isFinite), name);
    }
  });

  it('goes back once to what was saved, with a tenth of the learning rate', async () => {
    let met = 0;
    const { snapshot, reporter, recalls } = await run((step) => step === 5 + met && met++ < 6);
    assert.equal(recalls, 1);
    assert.deepEqual(snapshot.values.stability, {
      skipped: 6,
      inARow: 0,
      sinceRollback: 0,
      rollbacks: 1,
    });
    const [first] = reporter.intermediates;
    assert.ok(Math.abs(first!.lr - 0.1 * plan.lr * (2 / 3)) < 1e-9, String(first!.lr));
  });

  it('ends with a clear error when that did not help', async () => {
    await assert.rejects(
      run((step) => step > 5),
      {
        code: 'LOSS_NOT_FINITE',
        message: /learning rate 0\.00\d+: .* 12 steps/,
      },
    );
  });
});
