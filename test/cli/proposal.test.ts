import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { propose, type Proposal, type ProposedMachine } from '../../src/cli/proposal.ts';
import { heldOutSizes } from '../../src/data/stream/held-out.ts';
import type { Survey } from '../../src/data/survey.ts';
import { TrialError } from '../../src/foundation/errors.ts';

const TWO_CORES: ProposedMachine = { cores: 2, memoryBytes: 8e9 };

interface Images {
  readonly classes: number;
  readonly trainImages: number;
  readonly testImages?: number;
  readonly medianSide: number;
}

function surveyOf({ classes, trainImages, testImages = 0, medianSide }: Images): Survey {
  return {
    format: 'image-folder',
    classes: Array.from({ length: classes }, (_, i) => ({ name: `c${i}`, train: 1, test: 0 })),
    trainImages,
    testImages,
    medianSide,
    signs: false,
    skippedByKind: {},
    warnings: [],
  };
}

function proposalOf(images: Images, machine = TWO_CORES): Proposal {
  return propose(surveyOf(images), machine);
}

const steps = ({ settings }: Proposal): number =>
  (settings.epochs * settings.imagesPerEpoch) / settings.batchSize;

describe('propose', () => {
  const photos = { classes: 3, trainImages: 300, medianSide: 150 };
  const fashion = { classes: 10, trainImages: 60_000, testImages: 10_000, medianSide: 32 };

  it('goes through 300 photos many times, in small batches of large images', () => {
    const { classes, imageSize, settings } = proposalOf(photos);
    assert.deepEqual([classes, imageSize], [3, 64]);
    assert.equal(settings.batchSize, 32);
    assert.ok(settings.imagesPerEpoch > 1000 && settings.imagesPerEpoch % 32 === 0);
    assert.deepEqual([settings.rankingImages, settings.maxImages], [10, null]);
  });

  it('never enlarges images, but those below 32 pixels', () => {
    for (const [medianSide, most] of [
      [5, 32],
      [47, 32],
      [63, 48],
      [4000, 64],
    ] as const) {
      assert.equal(proposalOf({ ...photos, medianSide }).imageSize, most);
    }
  });

  it('takes smaller images where larger ones would leave too few steps', () => {
    const many = { classes: 100, trainImages: 50_000, testImages: 5000, medianSide: 300 };
    const two = proposalOf(many);
    const eight = proposalOf(many, { cores: 8, memoryBytes: 32e9 });
    assert.ok(two.imageSize < 64 && two.reasons.imageSize.includes('fewer than 200 steps'));
    assert.ok(steps(two) >= 200);
    assert.equal(eight.imageSize, 64);
    assert.ok(!eight.reasons.imageSize.includes('fewer'));
  });

  it('measures Fashion-MNIST as the shipped config does', () => {
    const { imageSize, settings } = proposalOf(fashion);
    const { maxImages, epochs, batchSize, rankingImages, calibrationImages } = settings;
    assert.deepEqual(
      { imageSize, maxImages, epochs, batchSize, rankingImages, calibrationImages },
      {
        imageSize: 32,
        maxImages: 20_000,
        epochs: 7,
        batchSize: 64,
        rankingImages: 500,
        calibrationImages: 500,
      },
    );
  });

  it('trains longer on more cores, and on one core takes no longer than on two', () => {
    const [one, two, four] = [1, 2, 4].map((cores) => proposalOf(fashion, { ...TWO_CORES, cores }));
    assert.ok(steps(one!) < steps(two!) && steps(two!) < steps(four!));
    assert.ok(one!.minutes <= 10 && four!.minutes <= 10);
  });

  it('takes smaller batches where memory is short', () => {
    const large = { ...fashion, medianSide: 64 };
    const batches = [2.5e9, 8e9].map(
      (memoryBytes) => proposalOf(large, { cores: 8, memoryBytes }).settings.batchSize,
    );
    assert.ok(batches[0]! < batches[1]!, String(batches));
  });

  it('proposes what a search accepts, in at most ten minutes, for all images that it accepts', () => {
    const images = fc.record({
      classes: fc.integer({ min: 2, max: 2000 }),
      trainImages: fc.integer({ min: 1, max: 2_000_000 }),
      testImages: fc.integer({ min: 0, max: 100_000 }),
      medianSide: fc.integer({ min: 1, max: 10_000 }),
    });
    const machines = fc.record({
      cores: fc.integer({ min: 2, max: 256 }),
      memoryBytes: fc.integer({ min: 1e9, max: 1e12 }),
    });
    let accepted = 0;
    const check = fc.property(images, machines, (drawn, machine) => {
      if (!isEnough(drawn)) return;
      accepted++;
      const { settings, minutes, imageSize, reasons } = proposalOf(drawn, machine);
      const { maxImages, rankingImages, calibrationImages, batchSize } = settings;
      const used = Math.min(drawn.trainImages, maxImages ?? Infinity);
      const { training, ranking } = heldOutSizes(used, drawn.classes);
      assert.ok(batchSize <= training && rankingImages <= ranking);
      assert.ok(calibrationImages <= training && settings.imagesPerEpoch >= batchSize);
      assert.ok([32, 48, 64].includes(imageSize) && minutes > 0 && minutes <= 10, `${minutes}`);
      assert.ok(Object.values(reasons).every((reason) => !reason.includes('\n')));
    });
    fc.assert(check, { seed: 1, numRuns: 300 });
    assert.ok(accepted > 100, `${accepted} accepted`);
  });

  it('refuses images that are too few to hold any out', () => {
    assert.throws(
      () => proposalOf({ classes: 10, trainImages: 299, medianSide: 64 }),
      (thrown: unknown) => thrown instanceof TrialError && thrown.code === 'DATA_INVALID',
    );
  });
});

/** Whether there are enough images for a held-out part. */
function isEnough({ trainImages, classes }: Images): boolean {
  try {
    heldOutSizes(trainImages, classes);
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof TrialError);
    return false;
  }
}
