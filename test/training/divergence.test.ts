import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { search } from '../../src/training/loop.ts';
import type { Batch } from '../../src/training/ports.ts';
import { restoreSnapshot, takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyBatch, tinyContext, tinyPlan, tinySupernet } from '../support/tiny.ts';

/** Three epochs of four steps. */
const plan = tinyPlan({ imagesPerEpoch: 64 });

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
async function searchThrough(isBad: (step: number, recalls: number) => boolean) {
  const start = initialState(supernet, plan);
  const saved = structuredClone(takeSnapshot(start));
  let recalls = 0;
  const next = (step: number): Promise<Batch> => {
    const batch = tinyBatch(plan.batchSize, 'training', step);
    if (isBad(step, recalls)) batch.images.fill(NaN);
    return Promise.resolve(batch);
  };
  const context = tinyContext({
    plan,
    batches: { waitedMs: 0, next },
    recall: () => {
      recalls++;
      return Promise.resolve(restoreSnapshot(structuredClone(saved), supernet, plan));
    },
  });
  const { state } = await search(start, context);
  const metrics = [...context.reporter.intermediates, ...context.reporter.finals];
  for (const line of metrics) {
    assert.ok(Object.values(line).every(Number.isFinite), JSON.stringify(line));
  }
  const numbers = takeSnapshot(state).arrays.flatMap(({ values }) => [...values]);
  assert.ok(numbers.every(Number.isFinite));
  return { state, recalls, first: metrics[0]!, last: metrics.at(-1)! };
}

describe('R8: a search that meets batches of NaN', () => {
  it('R8: leaves a step out and counts it; every metric and every weight is a number', async () => {
    const { state, recalls, last } = await searchThrough((step) => step === 3 || step === 9);
    assert.deepEqual([recalls, last.skippedSteps, state.step], [0, 2, 12]);
    assert.equal(state.stability.rollbacks, 0);
  });

  it('R8: reports numbers even of an epoch that was left out as a whole', async () => {
    const { last } = await searchThrough((step) => step >= 4 && step < 8);
    assert.equal(last.skippedSteps, 4);
  });

  it('R8: goes back once after the sixth in a row and ends at a tenth of the rate', async () => {
    const { state, recalls, first, last } = await searchThrough(
      (step, count) => count === 0 && step >= 2,
    );
    assert.deepEqual([recalls, last.skippedSteps, state.step], [1, 6, 12]);
    assert.equal(state.stability.rollbacks, 1);
    assert.ok(
      Math.abs(first.lr - (0.1 * plan.lr * 8) / 12) < 1e-12,
      `after 4 of 12 steps: ${first.lr}`,
    );
  });

  it('R8: fails when going back did not help, and says what to do', async () => {
    await assert.rejects(
      searchThrough((step) => step >= 2),
      (error) =>
        error instanceof TrialError &&
        error.code === 'LOSS_NOT_FINITE' &&
        /12 steps.*lower lr/.test(error.message),
    );
  });
});
