import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetaNetwork, matchingDegree } from '../../../src/algorithms/cream/meta-network.ts';
import {
  bestTeacher,
  chooseTeacher,
  randomTeacher,
  type Match,
} from '../../../src/algorithms/cream/teacher.ts';
import { createRng } from '../../../src/foundation/rng.ts';
import { tinyEntry } from '../../support/tiny.ts';

const phi = { weight: Float64Array.of(2, -1), bias: 0.5 };

function match(path: number[], ...difference: number[]): Match {
  return { entry: tinyEntry(path, { macs: 1 }), difference: Float32Array.from(difference) };
}

/** 2 d0 - d1 + 0.5 is 1, 3 and -1. */
const matches = [match([0], 0.5, 0.5), match([1], 1, -0.5), match([2], -0.5, 0.5)];

describe('chooseTeacher', () => {
  it('takes the entry with the largest score, wherever it stands, and rho of that entry', () => {
    for (const order of [matches, matches.toReversed(), [matches[1]!, matches[2]!, matches[0]!]]) {
      const teacher = chooseTeacher(phi, order, [9])!;
      assert.deepEqual(teacher.entry.path, [1]);
      // 2.5 tanh(3 / 2.5) = 2.08414.
      assert.ok(Math.abs(teacher.rho - 0.8893517442648162) < 1e-12);
    }
  });

  it('rho grows with the score and stays inside (0, 1)', () => {
    const rhos = [-20, -3, -1e-3, 0, 1e-3, 3, 20].map(matchingDegree);
    rhos.slice(1).forEach((rho, i) => {
      assert.ok(rho > rhos[i]!);
    });
    assert.equal(rhos[3], 0.5);
    assert.ok(rhos[0]! > 0 && rhos.at(-1)! < 1);
  });

  it('the student never teaches itself, even as the best match', () => {
    assert.deepEqual(chooseTeacher(phi, matches, [1])!.entry.path, [0]);
    assert.equal(chooseTeacher(phi, [matches[1]!], [1]), null);
  });

  it('nobody teaches where a score is not finite, or on an empty board', () => {
    for (const at of [0, 1, 3]) {
      const spoilt = matches.toSpliced(at, 0, match([3], NaN, 0));
      assert.equal(chooseTeacher(phi, spoilt, [9]), null);
    }
    assert.equal(chooseTeacher(phi, [], [9]), null);
  });

  it('the first of equal matches teaches', () => {
    const twins = [match([0], 0.5, 0.5), match([1], 0.5, 0.5)];
    assert.deepEqual(chooseTeacher(phi, twins, [9])!.entry.path, [0]);
  });

  it('the meta network starts with weights in (-1, 1), no bias, and depends on its seed', () => {
    const meta = createMetaNetwork(4000, 1);
    assert.ok(meta.weight.every((w) => Math.abs(w) < 1));
    assert.ok(Math.abs(meta.weight.reduce((sum, w) => sum + w * w, 0) / 4000 - 1 / 3) < 0.02);
    assert.equal(meta.bias, 0);
    assert.deepEqual(createMetaNetwork(4000, 1), meta);
    assert.notDeepEqual(createMetaNetwork(4000, 2).weight, meta.weight);
  });
});

describe('a teacher that no meta network picks', () => {
  const entries = [[0], [1], [2], [3]].map((path) => tinyEntry(path, { macs: 1 }));
  const board = { capacity: 4, entries };

  it('is the best of the board, or the second best of the best; rho is one half', () => {
    assert.deepEqual(bestTeacher(board, [9]), { entry: entries[0], rho: 0.5 });
    assert.deepEqual(bestTeacher(board, [0]), { entry: entries[1], rho: 0.5 });
    assert.equal(bestTeacher({ capacity: 4, entries: [entries[0]!] }, [0]), null);
  });

  it('or is any of the others, each as often, by the random numbers that it is given', () => {
    const counts = [0, 0, 0, 0];
    for (let step = 0; step < 3000; step++) {
      const rng = createRng({ seed: 1, stream: 'teacher', step });
      const { entry, rho } = randomTeacher(board, [2], rng)!;
      assert.equal(rho, 0.5);
      counts[entry.path[0]!]!++;
    }
    assert.equal(counts[2], 0);
    // Chi-square with two degrees of freedom: 13.8 is exceeded once in a thousand.
    const chi = [0, 1, 3].reduce((sum, k) => sum + (counts[k]! - 1000) ** 2 / 1000, 0);
    assert.ok(chi < 13.8, counts.join());
    const rng = createRng({ seed: 1, stream: 'teacher', step: 0 });
    assert.equal(randomTeacher({ capacity: 4, entries: [entries[2]!] }, [2], rng), null);
  });
});
