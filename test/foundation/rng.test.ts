import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, philox4x32 } from '../../src/foundation/rng.ts';

describe('philox4x32', () => {
  // Known answers of Random123's kat_vectors file for philox4x32 with 10 rounds.
  it('reproduces the published known answers', () => {
    assert.deepEqual(
      philox4x32([0, 0, 0, 0], [0, 0]),
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    );
    const ones = 0xffffffff;
    assert.deepEqual(
      philox4x32([ones, ones, ones, ones], [ones, ones]),
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    );
    assert.deepEqual(
      philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    );
  });
});

describe('createRng', () => {
  it('gives the same numbers for the same key and others for any changed part', () => {
    const key = { seed: 0, stream: 'path', step: 3, index: 1 };
    const first = (k: typeof key) => createRng(k).uint32();
    assert.equal(first(key), first({ ...key }));
    assert.notEqual(first(key), first({ ...key, seed: 1 }));
    assert.notEqual(first(key), first({ ...key, seed: 2 ** 32 }));
    assert.notEqual(first(key), first({ ...key, stream: 'augment' }));
    assert.notEqual(first(key), first({ ...key, step: 4 }));
    assert.notEqual(first(key), first({ ...key, index: 2 }));
  });

  it('is uniform over small ranges (chi-square, 99.9 %)', () => {
    const rng = createRng({ seed: 7, stream: 'test', step: 0 });
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 60_000; i++) counts[rng.below(6)]!++;
    const chiSquare = counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0);
    assert.ok(chiSquare < 20.5, `chi-square ${chiSquare}`);
  });

  it('draws standard normal numbers', () => {
    const rng = createRng({ seed: 7, stream: 'normal', step: 0 });
    const draws = Array.from({ length: 20_000 }, () => rng.normal());
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `${mean} ${variance}`);
  });

  it('permutes: every integer once', () => {
    const order = createRng({ seed: 1, stream: 'shuffle', step: 0 }).permutation(1000);
    assert.deepEqual(
      Int32Array.from(order).sort(),
      Int32Array.from({ length: 1000 }, (_, i) => i),
    );
    assert.notDeepEqual(order.slice(0, 3), Int32Array.of(0, 1, 2));
  });
});
