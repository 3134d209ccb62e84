import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { decodePixels } from '../../../src/data/formats/decode-image.ts';
import { decodeParts } from '../../../src/data/store/decode-parts.ts';
import { imageAt } from '../../../src/data/store/image-set.ts';
import type { EncodedImage, Payload } from '../../../src/data/formats/source.ts';
import { silentLogger } from '../../../src/foundation/logger.ts';
import { createRng } from '../../../src/foundation/rng.ts';
import { canSuffer, DAMAGES, soundImages } from '../damage.ts';
import { payloadSource } from '../support.ts';

const COUNT = 1000;
const SIZE = 16;
/** One damaged image among 100 that are sound keeps the limit of 1 %. */
const SPACING = 100;
const MEMORY_LIMIT = 256 * 2 ** 20;

async function damagedImages(): Promise<EncodedImage[]> {
  const sound = [...(await soundImages())];
  const damages = Object.entries(DAMAGES);
  return Array.from({ length: COUNT }, (_, index) => {
    const [damage, apply] = damages[index % damages.length]!;
    const rng = createRng({ seed: 9, stream: damage, step: index });
    const victims = sound.filter(([name]) => canSuffer(damage, name));
    const [name, bytes] = victims[rng.below(victims.length)]!;
    return {
      kind: 'encoded',
      name: `${index} ${damage} ${name}`,
      bytes: apply(Buffer.from(bytes), rng),
    };
  });
}

/** Pixels, or the reason why there are none. */
async function outcomeOf(image: EncodedImage): Promise<Uint8Array | string> {
  return decodePixels(image, SIZE).catch((thrown: unknown) => {
    assert.ok(thrown instanceof Error);
    return thrown.message;
  });
}

describe('1,000 damaged images', { timeout: 60_000 }, () => {
  let damaged: EncodedImage[];
  const outcomes: (Uint8Array | string)[] = [];
  let growth: number;

  before(async () => {
    damaged = await damagedImages();
    for (const [name, bytes] of await soundImages()) {
      const { length } = await decodePixels({ kind: 'encoded', name, bytes }, SIZE);
      assert.equal(length, SIZE * SIZE * 3, name);
    }
    const peak = process.resourceUsage().maxRSS;
    for (const image of damaged) {
      outcomes.push(await outcomeOf(image));
    }
    growth = (process.resourceUsage().maxRSS - peak) * 1024;
  });

  it('each gives all its pixels or a reason, in bounded memory', () => {
    outcomes.forEach((outcome, index) => {
      const what = `${damaged[index]?.name}: ${String(outcome)}`;
      assert.ok(outcome.length > 0, what);
      assert.ok(typeof outcome === 'string' || outcome.length === SIZE * SIZE * 3, what);
    });
    assert.ok(growth < MEMORY_LIMIT, `${growth} bytes more at the peak`);
    for (const damage of Object.keys(DAMAGES)) {
      const refused = outcomes.filter(
        (outcome, index) => typeof outcome === 'string' && damaged[index]!.name.includes(damage),
      );
      assert.ok(refused.length > 0, `${damage} never does any harm`);
    }
  });

  it('a data set leaves out just those, names them in order, and keeps the pixels of the others', async () => {
    const sound: Payload = { kind: 'pixels', pixels: new Uint8Array(SIZE * SIZE * 3), side: SIZE };
    const neighbours = Array<Payload>(SPACING - 1).fill(sound);
    const { source, listing } = payloadSource(damaged.flatMap((image) => [image, ...neighbours]));
    const wanted = listing.images.map((_, position) => position);
    const parts = await decodeParts(source, listing, { wanted, size: SIZE, logger: silentLogger });
    const refused = damaged.filter((_, index) => typeof outcomes[index] === 'string');
    assert.deepEqual(
      parts.skipped.map(({ name }) => name),
      refused.map(({ name }) => name),
    );
    assert.ok(parts.skipped.every(({ reason }) => /^\S[^\n]*$/u.test(reason)));
    assert.equal(parts.train.count, COUNT * SPACING - refused.length);
    let lost = 0;
    outcomes.forEach((outcome, index) => {
      if (typeof outcome === 'string') lost++;
      else assert.deepEqual([...imageAt(parts.train, index * SPACING - lost)], [...outcome]);
    });
  });
});
