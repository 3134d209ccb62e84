import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BoardEntry } from '../../../src/algorithms/cream/board.ts';
import { createMetaNetwork, matchingDegree } from '../../../src/algorithms/cream/meta-network.ts';
import { chooseTeacher, type Match } from '../../../src/algorithms/cream/teacher.ts';

const phi = { weight: Float64Array.of(2, -1), bias: 0.5 };

function match(path: number[], ...difference: number[]): Match {
  const probe = { images: new Float32Array(0), probabilities: new Float32Array(2) };
  const entry: BoardEntry = { path, accuracy: 0.5, batchAccuracy: 0.5, macs: 1, step: 0, probe };
  return { entry, difference: Float32Array.from(difference) };
}

/** Scores 2 d0 - d1 + 0.5: 1, 3 and -1. */
const matches = [match([0], 0.5, 0.5), match([1], 1, -0.5), match([2], -0.5, 0.5)];

describe('chooseTeacher', () => {
  it('takes the entry with the largest score, wherever it stands, and rho of that entry', () => {
    for (const order of [matches, matches.toReversed(), [matches[1]!, matches[2]!, matches[0]!]]) {
      const teacher = chooseTeacher(phi, order, [9])!;
      assert.deepEqual(teacher.entry.path, [1]);
      assert.equal(teacher.rho, 1 / (1 + Math.exp(-3)));
      assert.equal(teacher.difference, matches[1]!.difference);
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
    for (const bad of [NaN, Infinity, -Infinity]) {
      assert.equal(chooseTeacher(phi, [...matches, match([3], bad, 0)], [9]), null);
    }
    assert.equal(chooseTeacher(phi, [], [9]), null);
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
