import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  augmentImage,
  defaultAugmentation,
  type Augmentation,
} from '../../../src/data/stream/augment.ts';
import { createRng } from '../../../src/foundation/rng.ts';

const SIZE = 16;
const PLAIN: Augmentation = { crop: 'none', flip: false, jitter: 0, erasing: 0 };

/** Red grows with the column, green with the row; no level is zero. */
const source = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) => {
  const pixel = Math.floor(at / 3);
  return [10 + 8 * (pixel % SIZE), 10 + 8 * Math.floor(pixel / SIZE), 99][at % 3]!;
});

function augmented(settings: Partial<Augmentation>, step = 0): Float32Array {
  const target = new Float32Array(source.length);
  const rng = createRng({ seed: 5, stream: 'augment', step });
  augmentImage({ source, target, size: SIZE }, { ...PLAIN, ...settings }, rng);
  return target;
}

function mirrored(pixels: Float32Array): Float32Array {
  return pixels.map((_, at) => {
    const [row, column] = [Math.floor(at / 3 / SIZE), Math.floor(at / 3) % SIZE];
    return pixels[(row * SIZE + SIZE - 1 - column) * 3 + (at % 3)]!;
  });
}

const STEPS = Array.from({ length: 400 }, (_, step) => step);

describe('augmentImage', () => {
  it('copies when nothing is asked for', () => {
    assert.deepEqual(augmented({}), Float32Array.from(source));
  });

  it('mirrors every second image left to right', () => {
    const original = Float32Array.from(source);
    const flipped = STEPS.filter((step) => {
      const pixels = augmented({ flip: true }, step);
      const isFlipped = pixels[0] !== original[0];
      assert.deepEqual(pixels, isFlipped ? mirrored(original) : original);
      return isFlipped;
    });
    assert.ok(flipped.length > 160 && flipped.length < 240, String(flipped.length));
  });

  it('shifts by up to four pixels in both directions and leaves the rest black', () => {
    const seen = new Set<string>();
    for (const step of STEPS) {
      const pixels = augmented({ crop: 'shift' }, step);
      const at = (row: number, column: number): Float32Array =>
        pixels.subarray((row * SIZE + column) * 3);
      const middle = at(8, 8);
      const [right, down] = [(middle[0]! - 74) / 8, (middle[1]! - 74) / 8];
      seen.add(`${right} ${down}`);
      assert.equal(at(8, 15)[0], right <= 0 ? 10 + 8 * (15 + right) : 0);
      assert.equal(at(0, 8)[1], down >= 0 ? 10 + 8 * down : 0);
    }
    assert.ok(seen.size > 75 && seen.size <= 81, String(seen.size));
  });

  it('mirrors what it has shifted', () => {
    const step = STEPS.find((at) => augmented({ flip: true }, at)[0] !== source[0])!;
    const flipped = augmented({ flip: true, crop: 'shift' }, step);
    // The draw of the flip comes first, so the shift is another one than without it: compare rows.
    const reds = Array.from(
      { length: SIZE },
      (_, column) => flipped[(8 * SIZE + column) * 3]!,
    ).filter(Boolean);
    assert.deepEqual(
      reds,
      [...reds].sort((a, b) => b - a),
    );
  });

  it('resizes a part of the image without leaving its range', () => {
    const widths = STEPS.map((step) => {
      const pixels = augmented({ crop: 'resized' }, step);
      assert.ok(pixels.every((level) => level >= 10 && level <= 130));
      const row = Array.from({ length: SIZE }, (_, column) => pixels[(8 * SIZE + column) * 3]!);
      assert.deepEqual(
        row,
        [...row].sort((a, b) => a - b),
      );
      return (row[12]! - row[3]!) / 8 / 9;
    });
    assert.ok(Math.min(...widths) < 0.6 && Math.max(...widths) > 0.9);
    assert.ok(Math.max(...widths) <= 1 + 1e-6);
    const flipped = augmented(
      { crop: 'resized', flip: true },
      STEPS.find((at) => augmented({ flip: true }, at)[0] !== source[0]),
    );
    assert.ok(flipped[0]! > flipped[(SIZE - 1) * 3]!);
  });

  it('changes colours within their bounds', () => {
    const original = Float32Array.from(source);
    const jittered = STEPS.map((step) => augmented({ jitter: 0.4 }, step));
    assert.ok(jittered.every((pixels) => pixels.every((level) => level >= 0 && level <= 255)));
    assert.ok(
      jittered.every((pixels) => pixels.some((level, at) => Math.abs(level - original[at]!) > 0.5)),
    );
    const mean = (pixels: Float32Array): number =>
      pixels.reduce((a, b) => a + b, 0) / pixels.length;
    const ratios = jittered.map((pixels) => mean(pixels) / mean(original));
    assert.ok(Math.min(...ratios) < 0.7 && Math.max(...ratios) > 1.3);

    assert.ok(Math.min(...ratios) > 0.55 && Math.max(...ratios) < 1.55);
  });

  it('erases one rectangle with the wanted probability', () => {
    const original = Float32Array.from(source);
    const shares = STEPS.map((step) => {
      const pixels = augmented({ erasing: 0.25 }, step);
      return pixels.filter((level, at) => level !== original[at]).length / pixels.length;
    }).filter((share) => share > 0);
    assert.ok(shares.length > 70 && shares.length < 130, String(shares.length));
    assert.ok(Math.max(...shares) < 0.4);
  });

  it('shifts small images, crops large ones and never mirrors digits', () => {
    assert.deepEqual(defaultAugmentation({ size: 64, digits: true }), { ...PLAIN, crop: 'shift' });
    const large = defaultAugmentation({ size: 96, digits: false });
    assert.deepEqual(large, { ...PLAIN, crop: 'resized', flip: true });
  });
});
