import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  chooseTeacher,
  matchesOf,
  type Match,
} from '../../../src/algorithms/cream-official/teacher.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import { tinySupernet } from '../../support/tiny.ts';
import { boardOf, officialEntry } from './support.ts';

const phi = { weight: Float64Array.of(2, -1), bias: 0.5 };

function match(path: number[], ...difference: number[]): Match {
  return { entry: officialEntry(path), difference: Float32Array.from(difference) };
}

/** Scores 2 d0 - d1 + 0.5: 1, 3 and -1. */
const [first, best, worst] = [match([0, 0, 0], 0.5, 0.5), match([1, 1, 1], 1, -0.5), match([2, 2, 2], -0.5, 0.5)]; // prettier-ignore

describe('the choice of a teacher in the released code', () => {
  it('takes the largest score, and rho = sigmoid(-s) of the last entry, whoever teaches', () => {
    const cases: [Match[], number][] = [
      [[first, best, worst], 1 / (1 + Math.exp(-1))],
      [[worst, best, first], 1 / (1 + Math.exp(1))],
      [[worst, first, best], 1 / (1 + Math.exp(3))],
    ];
    for (const [order, rho] of cases) {
      const teacher = chooseTeacher(phi, order)!;
      assert.equal(teacher.entry, best.entry);
      assert.equal(teacher.last, order.at(-1)!.entry);
      assert.ok(Math.abs(teacher.rho - rho) < 1e-15, `${teacher.rho} for ${rho}`);
    }
  });

  it('a better match of the last entry makes the weight of distillation smaller', () => {
    const rhos = [-1, 0, 2].map((d) => chooseTeacher(phi, [match([0, 0, 0], d, 0)])!.rho);
    assert.ok(rhos[0]! > rhos[1]! && rhos[1]! > rhos[2]!, rhos.join());
  });

  it('nobody teaches where a score is not finite, or on an empty board', () => {
    assert.equal(chooseTeacher(phi, []), null);
    for (const bad of [NaN, Infinity, -Infinity]) {
      assert.equal(chooseTeacher(phi, [match([0, 0, 0], bad, 0), best]), null);
    }
  });
});

describe('what a student says about the probes', () => {
  let engine: Engine;
  let supernet: Supernet;
  before(async () => {
    engine = await nativeEngine();
    supernet = tinySupernet(engine);
  });
  after(() => {
    supernet.dispose();
  });

  it("is one forward pass for each entry, normalised by that entry's images alone", () => {
    const board = boardOf(officialEntry([2, 1, 2], 0.75), officialEntry([0, 1, 0]));
    const matches = matchesOf(supernet, board, [1, 2, 1]);
    assert.deepEqual(matches.map(({ entry }) => entry), board.entries); // prettier-ignore
    for (const { entry, difference } of matches) {
      const { images, probabilities } = entry.probe;
      const own = predict(supernet, images, [1, 2, 1]);
      assert.deepEqual(difference, own.map((p, i) => p - probabilities[i]!)); // prettier-ignore
    }
  });
});
