import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Score } from '../../src/algorithms/algorithm.ts';
import { closeCalls, LOOKED_AT } from '../../src/selection/close-calls.ts';

const occasion = { weights: 'step 1', images: Infinity, pause: () => Promise.resolve() };

/** Paths of one block whose losses are given, best first. */
async function callsOf(losses: readonly (readonly number[])[]) {
  const scores = losses.map((own, at): Score => {
    return { path: [at], accuracy: 0, crossEntropy: own.reduce((a, b) => a + b) / own.length };
  });
  const scorer = {
    answers: ([at = NaN]: readonly number[]) => Promise.resolve({ hits: [], losses: losses[at]! }),
    numbersOf: ({ losses: own }: { losses: readonly number[] }) => own,
    compareNumbers: (a: Score, b: Score) => a.crossEntropy - b.crossEntropy,
  };
  return closeCalls(scores as [Score, ...Score[]], scorer, occasion);
}

describe('close calls', () => {
  it('are ties, by the score alone, and paths less than a standard error away, image by image', async () => {
    const { ties, withinNoise } = await callsOf([
      [1, 2, 3, 4],
      [4, 3, 2, 1], // the same mean
      [2, 2, 3, 4], // 1/4 more, standard error 1/4
      [2, 3, 4, 5], // 1 more on every image: apart, though within the spread of the losses
    ]);
    assert.deepEqual(ties, [[1]]);
    assert.deepEqual(withinNoise, [[1], [2]]);
  });

  it('are none where the answer is the only path', async () => {
    assert.deepEqual(await callsOf([[1, 2]]), { ties: [], withinNoise: [] });
  });

  it('are looked for among the next best, ties among all', async () => {
    const { ties, withinNoise } = await callsOf(Array.from({ length: 20 }, () => [1, 2]));
    assert.deepEqual([ties.length, withinNoise.length], [19, LOOKED_AT]);
  });
});
