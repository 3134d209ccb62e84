/** Training that begins as it should: with the shipped networks and the defaults of a config. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createRng } from '../../src/foundation/rng.ts';
import type { SearchSpace } from '../../src/searchspace/space.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { nativeEngine } from '../support/engine.ts';
import { shippedSpace } from '../support/spaces.ts';
import { trainByDefaults } from '../support/train.ts';

const STEPS = 50;
const BATCH = 32;

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** Noisy images of ten classes: the class says which tenth of the rows is bright. */
function stripes({ imageSize: size, classes }: SearchSpace, step: number): Batch {
  const rng = createRng({ seed: 1, stream: 'stripes', step });
  const labels = Int32Array.from({ length: BATCH }, () => rng.below(classes));
  const images = new Float32Array(BATCH * size * size * 3).map((_, at) => {
    const pixel = Math.floor(at / 3);
    const row = Math.floor(pixel / size) % size;
    const label = labels[Math.floor(pixel / (size * size))] ?? 0;
    return (Math.floor((row * classes) / size) === label ? 2 : 0) + 0.5 * rng.normal();
  });
  return { count: BATCH, images, labels };
}

/** Mean cosine of the filters' columns to where they started. */
function cosineTo(start: readonly Float32Array[], net: Supernet): number {
  const cosines = net.parameters.flatMap(({ name, value, slots }, i) => {
    if (!name.endsWith('project/filter') || slots.length === 0) return [];
    const [a, b] = [engine.read(value), start[i] as Float32Array];
    const dot = (x: Float32Array, y: Float32Array): number =>
      x.reduce((sum, each, at) => sum + each * (y[at] ?? NaN), 0);
    return [dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))];
  });
  return cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
}

for (const name of ['nas-bench-macro', 'cream-small'] as const) {
  describe(`a supernet of ${name} with the defaults`, { timeout: 300_000 }, () => {
    it('starts at the loss of guessing, never leaps, turns its filters, and learns', () => {
      const space = shippedSpace(name);
      let start: readonly Float32Array[] = [];
      const { supernet: net, losses } = trainByDefaults(
        engine,
        {
          space,
          seed: 1,
          steps: STEPS,
          plannedSteps: 4 * STEPS,
          batchSize: BATCH,
          batchAt: (step) => stripes(space, step),
        },
        ({ parameters }) => {
          start = parameters.map(({ value }) => engine.read(value).slice());
        },
      );
      const guessing = Math.log(space.classes);
      const first = losses[0] ?? NaN;
      assert.ok(Math.abs(first / guessing - 1) < 0.1, `first loss ${first}`);
      assert.ok(Math.max(...losses) <= 1.2 * guessing, `largest loss ${Math.max(...losses)}`);
      const last = losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10;
      assert.ok(last < 0.9 * guessing, `mean of the last ten ${last}`);
      const cosine = cosineTo(start, net);
      assert.ok(cosine < 0.99, `cosine of projections to their start ${cosine}`);
      net.dispose();
    });
  });
}
