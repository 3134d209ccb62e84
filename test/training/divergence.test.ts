import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { cream } from '../../src/algorithms/cream/cream.ts';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { train } from '../../src/training/loop.ts';
import { restoreSnapshot, takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import {
  spoiled,
  tinyBatch,
  tinyContext,
  tinyHeldOut,
  tinySearch,
  tinySupernet,
} from '../support/tiny.ts';

/** Three epochs of four steps. */
const search = tinySearch(cream, { imagesPerEpoch: 64 });
const { plan, algorithm } = search;

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
});
beforeEach(() => {
  supernet = tinySupernet(engine);
});
afterEach(() => {
  supernet.dispose();
});

/** A search whose batches at some steps are no numbers; it goes back to its very start. */
async function searchThrough(isBad: (step: number, rollbacks: number) => boolean) {
  const start = initialState(supernet, algorithm.initialState());
  const saved = structuredClone(takeSnapshot(start, search));
  let rollbacks = 0;
  const next = (step: number): Promise<Batch> => {
    const batch = tinyBatch(plan.batchSize, 'training', step);
    return Promise.resolve(isBad(step, rollbacks) ? spoiled(batch) : batch);
  };
  const batches = { waitedMs: 0, next };
  const context = tinyContext(supernet, search, {
    images: { batches, heldOut: tinyHeldOut, skipped: 0 },
    keeper: {
      checkpoint: () => Promise.resolve(),
      rollBack: () => {
        rollbacks++;
        const owner = { supernet, algorithm, plan };
        return Promise.resolve(restoreSnapshot(structuredClone(saved), owner));
      },
    },
  });
  const state = await train(start, context);
  const metrics = context.reports;
  for (const line of metrics) {
    assert.ok(Object.values(line).every(Number.isFinite), JSON.stringify(line));
  }
  const numbers = takeSnapshot(state, search).arrays.flatMap(({ values }) => [...values]);
  assert.ok(numbers.every(Number.isFinite));
  return { state, rollbacks, first: metrics[0]!, last: metrics.at(-1)! };
}

describe('a search that meets batches of NaN', () => {
  it('leaves a step out and counts it; every metric and every weight is a number', async () => {
    const { state, rollbacks, last } = await searchThrough((step) => step === 3 || step === 9);
    assert.deepEqual([rollbacks, last['skippedSteps'], state.step], [0, 2, 12]);
    assert.equal(state.stability.rollbacks, 0);
  });

  it('reports numbers even of an epoch that was left out as a whole', async () => {
    const { last } = await searchThrough((step) => step >= 4 && step < 8);
    assert.equal(last['skippedSteps'], 4);
  });

  it('goes back once after the sixth in a row and ends at a tenth of the rate', async () => {
    const { state, rollbacks, first, last } = await searchThrough(
      (step, count) => count === 0 && step >= 2,
    );
    assert.deepEqual([rollbacks, last['skippedSteps'], state.step], [1, 6, 12]);
    assert.equal(state.stability.rollbacks, 1);
    assert.ok(
      Math.abs(first['lr']! - (0.1 * plan.rate.lr * 8) / 12) < 1e-12,
      `after 4 of 12 steps: ${first['lr']}`,
    );
  });

  it('fails when going back did not help, and says what to do', async () => {
    await assert.rejects(
      searchThrough((step) => step >= 2),
      (error) =>
        error instanceof TrialError &&
        error.code === 'LOSS_NOT_FINITE' &&
        /12 steps.*lower lr/.test(error.message),
    );
  });
});
