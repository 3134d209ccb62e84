import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  STABLE,
  afterStep,
  diverged,
  isExhausted,
  rateScale,
  rolledBack,
  type Stability,
} from '../../src/training/stability.ts';

const SHORT = 60;

/** Stability after steps that were finite or not, from a given one. */
function after(steps: readonly boolean[], from: Stability = STABLE): Stability {
  return steps.reduce(afterStep, from);
}

const bad = (count: number): boolean[] => new Array<boolean>(count).fill(false);

describe('stability', () => {
  it('skips five steps in a row and gives up at the sixth', () => {
    assert.equal(isExhausted(after(bad(5)), 1e6), false);
    assert.equal(isExhausted(after(bad(6)), 1e6), true);
  });

  it('a finite step ends a row, and what was skipped stays counted', () => {
    const mixed = after([...bad(5), true, ...bad(5), true]);
    assert.deepEqual(mixed, { skipped: 10, inARow: 0, sinceRollback: 10, rollbacks: 0 });
    assert.equal(isExhausted(mixed, 10_000), false);
    assert.equal(isExhausted(after([false], mixed), 10_000), true, 'the eleventh of 10,000 steps');
  });

  it('a short run may skip five steps, though they are more than a thousandth', () => {
    const scattered = after([false, true, false, true, false, true, false, true, false, true]);
    assert.equal(isExhausted(scattered, SHORT), false);
    assert.equal(isExhausted(after([false], scattered), SHORT), true);
  });

  it('going back starts the count anew, at a tenth of the learning rate', () => {
    const back = rolledBack(after(bad(6)));
    assert.deepEqual(back, { skipped: 6, inARow: 0, sinceRollback: 0, rollbacks: 1 });
    assert.equal(rateScale(STABLE), 1);
    assert.equal(rateScale(back), 0.1);
    assert.equal(isExhausted(after(bad(5), back), SHORT), false);
    assert.equal(isExhausted(after(bad(6), back), SHORT), true);
  });

  it('steps that are all finite leave the very same value', () => {
    assert.equal(after([true, true, true]), STABLE);
  });

  it('the failure names the path, the rate, the counts and what to do', () => {
    const error = diverged(after(bad(6), rolledBack(after(bad(7)))), { path: [1, 0], lr: 0.005 });
    assert.equal(error.code, 'LOSS_NOT_FINITE');
    assert.match(
      error.message,
      /path 1\.0 at learning rate 0\.005.*13 steps.*6 in a row.*lower lr/,
    );
  });
});
