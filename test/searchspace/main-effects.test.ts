import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../src/foundation/rng.ts';
import { spearman } from '../../src/foundation/statistics.ts';
import { fitMainEffects } from '../../src/searchspace/main-effects.ts';
import type { Path } from '../../src/searchspace/space.ts';
import { tinySpace } from '../support/tiny.ts';

/** All 27 paths: of the runs only the middle block's identity keeps its shape. */
const paths: Path[] = [0, 1, 2].flatMap((a) =>
  [0, 1, 2].flatMap((b) => [0, 1, 2].map((c) => [a, b, c])),
);

const worth = ([a = 0, b = 0, c = 0]: Path): number => 2 * a - b + [0, 3, -1][c]!;

describe('main effects', () => {
  it('find an additive truth again, shrunk a little, and explain all but that', () => {
    const { predict, explained } = fitMainEffects(
      tinySpace,
      paths.map((path) => ({ path, value: worth(path) })),
    );
    // 9 of 27 paths take each candidate, and one doubt: effects are 0.9 of the truth's.
    const centre = paths.reduce((sum, path) => sum + worth(path), 0) / 27;
    for (const path of paths) {
      assert.ok(Math.abs(predict(path) - centre - 0.9 * (worth(path) - centre)) < 1e-9);
    }
    assert.ok(Math.abs(explained - 0.99) < 1e-9, String(explained));
  });

  it('are nearer to the truth than what was measured, where every path has a peculiarity', () => {
    const rng = createRng({ seed: 1, stream: 'test', step: 0 });
    const observations = paths.map((path) => ({ path, value: worth(path) + 3 * rng.normal() }));
    const { predict } = fitMainEffects(tinySpace, observations);
    const truth = paths.map(worth);
    const measured = spearman(observations.map(({ value }) => value), truth); // prettier-ignore
    const fitted = spearman(paths.map(predict), truth);
    assert.ok(measured < 0.85 && fitted > measured + 0.05, `${measured} ${fitted}`);
  });

  it('expect the mean of a candidate that was never measured', () => {
    const { predict } = fitMainEffects(tinySpace, [
      { path: [0, 0, 0], value: 1 },
      { path: [0, 0, 1], value: 3 },
    ]);
    assert.equal(predict([0, 0, 2]), 2);
    assert.ok(predict([0, 0, 0]) < 2 && predict([0, 0, 1]) > 2);
  });

  it('explain everything where nothing differs', () => {
    const { predict, explained } = fitMainEffects(tinySpace, [{ path: [1, 1, 1], value: 7 }]);
    assert.equal(explained, 1);
    assert.equal(predict([2, 2, 2]), 7);
  });
});
