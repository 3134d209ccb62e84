import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { shareOf, trainPaths } from '../../src/algorithms/several-paths.ts';
import { spos } from '../../src/algorithms/spos/spos.ts';
import { labelLoss } from '../../src/algorithms/stateless.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { pathKey } from '../../src/searchspace/path.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { nativeEngine } from '../support/engine.ts';
import { idleLearner, idleSteps } from '../support/idle-learner.ts';
import {
  tinyBatch,
  tinyHeldOut,
  tinyLearner,
  tinyMacs,
  tinySearch,
  tinySupernet,
} from '../support/tiny.ts';

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

describe('shares of a batch', () => {
  it('are neighbours that hold each image once, as equal as they can be', () => {
    for (const [images, parts] of [
      [16, 4],
      [10, 4],
      [7, 3],
      [5, 5],
      [9, 1],
    ] as const) {
      const batch = tinyBatch(images, 'training');
      const shares = Array.from({ length: parts }, (_, k) => shareOf(batch, k, parts));
      const [labels, pixels] = [shares.flatMap((share) => [...share.labels]), shares.flatMap((share) => [...share.images])]; // prettier-ignore
      assert.deepEqual(labels, [...batch.labels]);
      assert.deepEqual(pixels, [...batch.images]);
      const counts = shares.map(({ count }) => count);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join());
    }
  });

  it('hold one image each where a batch has fewer images than there are paths', () => {
    const batch = tinyBatch(2, 'training');
    const shares = [0, 1, 2, 3, 4].map((k) => shareOf(batch, k, 5));
    assert.deepEqual(shares.map(({ count }) => count), [1, 1, 1, 1, 1]); // prettier-ignore
    const seen = new Set(shares.map(({ images }) => images[0]));
    assert.deepEqual(seen, new Set([batch.images[0], batch.images[batch.images.length / 2]]));
  });
});

describe('a step of several paths', () => {
  const work = (learner: Parameters<typeof trainPaths>[1]['learner'], images = 16) => ({
    step: 3,
    epoch: 0,
    batch: tinyBatch(images, 'training'),
    heldOut: tinyHeldOut,
    learner,
  });

  it('draws them independently: as often alike as chance says', () => {
    const steps = idleSteps(tinySearch(spos, { pathsPerStep: 4 }), supernet, 900);
    let [alike, pairs] = [0, 0];
    for (const { taken, updates } of steps) {
      assert.equal(taken.length, 4);
      assert.deepEqual(updates, [taken]);
      const [a, b, c, d] = taken.map(pathKey);
      alike += Number(a === b) + Number(c === d);
      pairs += 2;
    }
    // One in 27, and a standard deviation of 8.0.
    assert.ok(Math.abs(alike - pairs / 27) < 3.3 * 8.0, `${alike} of ${pairs}`);
  });

  it('keeps each of them to the budget', () => {
    const maxMacs = tinyMacs([1, 1, 1]);
    const steps = idleSteps(tinySearch(spos, { pathsPerStep: 3, maxMacs }), supernet, 50);
    assert.ok(steps.flatMap(({ taken }) => taken).every((path) => tinyMacs(path) <= maxMacs));
  });

  it('counts the images that were trained on', () => {
    const imagesOf = (pathBatch: 'share' | 'whole', images: number): number => {
      const { algorithm } = tinySearch(spos, { pathsPerStep: 4, pathBatch });
      return algorithm.step({}, work(idleLearner(supernet), images)).images;
    };
    assert.equal(imagesOf('share', 16), 16);
    assert.equal(imagesOf('whole', 16), 64);
    assert.equal(imagesOf('share', 3), 4);
  });

  it('moves the weights by the sum of the gradients of the mean losses of its shares', () => {
    const net = tinySupernet(engine);
    const paths = [[0, 1, 2], [1, 1, 0], [2, 1, 2]]; // prettier-ignore
    const batch = tinyBatch(17, 'training');
    const wanted = net.parameters.map(({ value }) => Float64Array.from(engine.read(value)));
    const probe = tinyLearner(net);
    const losses = paths.map((path, k) => {
      const own = shareOf(batch, k, 3);
      const part = probe.gradientsOf(path, own, labelLoss(probe, own, 0.1));
      for (const [parameter, gradient] of part.gradients) {
        const at = wanted[net.parameters.indexOf(parameter)]!;
        engine.read(gradient).forEach((each, i) => (at[i]! -= 0.05 * each));
      }
      return part.loss;
    });
    probe.dispose();

    const { plan } = tinySearch(spos, { momentum: 0, weightDecay: 0 });
    const learner = tinyLearner(net, { optimizer: plan.optimizer });
    const result = trainPaths({}, { ...work(learner), batch }, {
      paths,
      pathBatch: 'share',
      lossOf: (_, own) => labelLoss(learner, own, 0.1),
    }); // prettier-ignore
    learner.dispose();
    const mean = losses.reduce((sum, each) => sum + each, 0) / 3;
    assert.ok(Math.abs(result.loss - mean) < 1e-6);
    assert.deepEqual([result.next, result.images], [{}, 17]);
    net.parameters.forEach(({ name, value }, k) => {
      engine.read(value).forEach((actual, i) => {
        // Nesterov without momentum is a plain step of the gradient.
        assert.ok(Math.abs(actual - wanted[k]![i]!) < 1e-6, `${name}[${i}]`);
      });
    });
    net.dispose();
  });
});
