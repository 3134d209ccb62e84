import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWithinNoise, judge } from '../../src/selection/verdict.ts';

/** Hits of a path on `count` images, right on the first `right` of them from `from` on. */
function hits(count: number, right: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => Number(i >= from && i < from + right));
}

function near(found: number | null, wanted: number): void {
  assert.ok(found !== null && Math.abs(found - wanted) < 1e-12, `${found} for ${wanted}`);
}

describe('the verdict', () => {
  it('counts the standard errors of a planted difference, of images and paths', () => {
    // Right on 60 of 100; two random paths on 30 and 50 of the same ones. Differences per image: 0 on
    // 30, 1/2 on 20, 1 on 10, 0 on 40: mean 0.2, sum of squares 15 - 100 * 0.04 = 11.
    const verdict = judge(hits(100, 60), [hits(100, 30), hits(100, 50)]);
    const ofImages = Math.sqrt(11 / 99 / 100);
    const ofPaths = 0.1;
    near(verdict.difference, 0.2);
    near(verdict.errorOfImages, ofImages);
    near(verdict.errorOfPaths, ofPaths);
    near(verdict.standardError, Math.sqrt(ofImages ** 2 + ofPaths ** 2));
    near(verdict.standardErrors, 0.2 / Math.sqrt(1 / 900 + 0.01));
    assert.equal(verdict.betterThanRandom, 'no', '1.9 standard errors are not 2');
  });

  it('is yes from two standard errors on', () => {
    const random = [30, 40, 30, 40].map((right) => hits(100, right));
    const verdict = judge(hits(100, 60), random);
    assert.ok(verdict.standardErrors! > 4, String(verdict.standardErrors));
    assert.equal(verdict.betterThanRandom, 'yes');
  });

  it('is no where nothing differs, and where random paths are better', () => {
    const same = judge(hits(100, 60), [hits(100, 60), hits(100, 60)]);
    assert.deepEqual(same, {
      betterThanRandom: 'no',
      difference: 0,
      standardError: 0,
      errorOfImages: 0,
      errorOfPaths: 0,
      standardErrors: null,
    });
    const worse = judge(hits(400, 200), [hits(400, 300), hits(400, 310)]);
    assert.equal(worse.betterThanRandom, 'no');
    assert.ok(worse.standardErrors! < -2);
  });

  it('is that there are too few images: ten, however large the difference', () => {
    const random = [hits(10, 1), hits(10, 1)];
    assert.equal(judge(hits(10, 10), random).betterThanRandom, 'too-few-images');
    assert.equal(judge(hits(30, 30), [hits(30, 3)]).betterThanRandom, 'yes');
  });

  it('is that there are too few images where they show only differences above 0.1', () => {
    // Right on other images: the paired difference is 1, -1 or 0.
    const [answer, other] = [hits(100, 45), hits(100, 40, 45)];
    const few = judge(answer, [other]);
    assert.ok(2 * few.errorOfImages > 0.1);
    assert.equal(few.betterThanRandom, 'too-few-images');
    const times = (each: number[]): number[] => Array.from({ length: 4 }, () => each).flat();
    const many = judge(times(answer), [times(other)]);
    near(many.difference, few.difference);
    assert.ok(2 * many.errorOfImages <= 0.1);
    assert.equal(many.betterThanRandom, 'no');
  });

  it('is not about images where the random paths spread', () => {
    const verdict = judge(hits(400, 240), [hits(400, 40), hits(400, 390), hits(400, 200)]);
    assert.ok(2 * verdict.errorOfPaths > 0.1 && 2 * verdict.errorOfImages <= 0.1);
    assert.equal(verdict.betterThanRandom, 'no');
  });

  it('takes one random path for all there is', () => {
    const { errorOfPaths, errorOfImages, standardError } = judge(hits(100, 60), [hits(100, 30)]);
    assert.equal(errorOfPaths, 0);
    assert.equal(standardError, errorOfImages);
  });
});

describe('noise', () => {
  it('is a paired difference of up to one standard error', () => {
    // Differences 1, 0, 0, 0: mean 1/4, standard error 1/4.
    assert.ok(isWithinNoise([2, 1, 1, 1], [1, 1, 1, 1]));
    assert.ok(isWithinNoise([1, 1, 1, 1], [2, 1, 1, 1]));
    // 1, 1, 0, 0: mean 1/2, standard error 0.29; apart, though each list spreads more than that.
    assert.ok(!isWithinNoise([9, 1, 0, 4], [8, 0, 0, 4]));
    assert.ok(isWithinNoise([3, 3], [3, 3]));
    assert.ok(!isWithinNoise([3, 3], [4, 4]));
  });
});
