import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verdictLine, type Judged } from '../../src/tasks/verdict-line.ts';

function lineOf(verdict: Partial<NonNullable<Judged['verdict']>>, images = 744): string | null {
  return verdictLine({
    confirmation: { images, accuracy: 0.7371, crossEntropy: 0.7 },
    verdict: {
      betterThanRandom: 'yes',
      difference: 0.044,
      standardError: 0.011,
      errorOfImages: 0.009,
      errorOfPaths: 0.006,
      standardErrors: 4.02,
      ...verdict,
    },
    baselines: { randomPaths: { n: 25, mean: 0.6934, standardError: 0.006, max: 0.75 } },
    data: { rankingImages: 9 } as Judged['data'],
  });
}

describe('the sentence of a verdict', () => {
  it('says yes, both accuracies, the error, the images and the standard errors', () => {
    assert.equal(
      lineOf({}),
      'better than random: yes, 0.737 against 0.693 ± 0.011 on 744 images that chose nothing (4.0 standard errors)',
    );
  });

  it('says no, and what it takes', () => {
    assert.equal(
      lineOf({ betterThanRandom: 'no', standardErrors: 0.61 }),
      'better than random: no, 0.737 against 0.693 ± 0.011 on 744 images that chose nothing (0.6 standard errors; it takes 2)',
    );
    assert.match(
      lineOf({ betterThanRandom: 'no', standardErrors: null, standardError: 0 })!,
      /± 0\.000 .*\(no standard errors; it takes 2\)/u,
    );
  });

  it('says that images are too few, and what they could show', () => {
    assert.equal(
      lineOf({ betterThanRandom: 'too-few-images', errorOfImages: 0.08 }, 40),
      'better than random: too few images to tell, 0.737 against 0.693 on 40 images that chose nothing, which show no difference below 0.160',
    );
    assert.equal(
      lineOf({ betterThanRandom: 'too-few-images' }, 0),
      'better than random: too few images to tell, 0.737 against 0.693 on the 9 images that chose it, and none are left to confirm it',
    );
  });

  it('is missing where nothing was compared', () => {
    const data = { rankingImages: 9 } as Judged['data'];
    const confirmation = { images: 40, accuracy: 1, crossEntropy: 0 };
    const judged = { confirmation, verdict: null, baselines: { randomPaths: null }, data };
    assert.equal(verdictLine(judged), null);
  });
});
