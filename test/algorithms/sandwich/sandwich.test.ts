import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sandwich } from '../../../src/algorithms/sandwich/sandwich.ts';
import { shareOf } from '../../../src/algorithms/several-paths.ts';
import { labelLoss } from '../../../src/algorithms/stateless.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { pathKey } from '../../../src/searchspace/path.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { crossEntropyTo } from '../../../src/supernet/classification.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import { idleSteps } from '../../support/idle-learner.ts';
import {
  tinyBatch,
  tinyHeldOut,
  tinyLearner,
  tinySearch,
  tinySetting,
  tinySupernet,
  type TinyChanges,
} from '../../support/tiny.ts';

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

const LARGEST: Path = [2, 2, 2];
const SMALLEST: Path = [0, 0, 0];
const FOUR: TinyChanges = { pathsPerStep: 4, pathBatch: 'share' };

describe('the sandwich rule', () => {
  it('trains the largest and the smallest path in every step, random ones beside them, in one update', () => {
    const steps = idleSteps(tinySearch(sandwich, FOUR), supernet, 60);
    for (const { taken, updates } of steps) {
      assert.deepEqual(taken.slice(0, 2), [LARGEST, SMALLEST]);
      assert.equal(taken.length, 4);
      assert.deepEqual(updates, [taken]);
    }
    const between = new Set(steps.flatMap(({ taken }) => taken.slice(2).map(pathKey)));
    assert.ok(between.size > 15, `${between.size} different paths`);
  });

  it('refuses fewer paths than the largest, the smallest and a random one', () => {
    for (const pathsPerStep of [1, 2]) {
      assert.throws(() => sandwich.create(tinySetting({ pathsPerStep })), {
        code: 'CONFIG_INVALID',
        message: /pathsPerStep/,
      });
    }
  });

  it('moves the weights by the labels for the largest, by its constant softmax on their own shares for the others', () => {
    const batch = tinyBatch(16, 'training');
    const { algorithm, plan } = tinySearch(sandwich, { ...FOUR, momentum: 0, weightDecay: 0 });
    const learner = tinyLearner(supernet, { optimizer: plan.optimizer });
    const work = { step: 0, epoch: 0, batch, heldOut: tinyHeldOut, learner };
    const { loss, paths, images } = algorithm.step(algorithm.initialState(), work);
    learner.dispose();
    assert.equal(images, 16);

    const other = tinySupernet(engine);
    const wanted = other.parameters.map(({ value }) => Float64Array.from(engine.read(value)));
    const losses = paths.map((path, k) => {
      const own = shareOf(batch, k, 4);
      const probe = tinyLearner(other);
      const softmax = predict(other, own.images, LARGEST);
      const part = probe.gradientsOf(
        path,
        own,
        k === 0
          ? labelLoss(probe, own, 0.1)
          : (logits) => ({ loss: crossEntropyTo(engine, logits, softmax) }),
      );
      for (const [parameter, gradient] of part.gradients) {
        const sums = wanted[other.parameters.indexOf(parameter)]!;
        engine.read(gradient).forEach((each, i) => (sums[i]! -= 0.05 * each));
      }
      probe.dispose();
      return part.loss;
    });
    other.dispose();
    const mean = losses.reduce((sum, each) => sum + each, 0) / 4;
    assert.ok(Math.abs(loss - mean) < 1e-6, `${loss} and ${mean}`);
    supernet.parameters.forEach(({ name, value }, k) => {
      engine.read(value).forEach((actual, i) => {
        assert.ok(Math.abs(actual - wanted[k]![i]!) < 1e-6, `${name}[${i}]`);
      });
    });
  });

  it('leaves no trace of the teacher in the running statistics but by its own share', () => {
    const batch = tinyBatch(16, 'training');
    const momentsOf = (changed: typeof batch): Float32Array => {
      const net = tinySupernet(engine);
      const { algorithm } = tinySearch(sandwich, FOUR);
      const learner = tinyLearner(net);
      const work = { step: 0, epoch: 0, batch: changed, heldOut: tinyHeldOut, learner };
      algorithm.step({}, work);
      learner.dispose();
      const entries = [...net.running.entries()].filter(([name]) => name.includes('mb3_k5'));
      const taken = entries.flatMap(([, { mean }]) => [...engine.read(mean)]);
      net.dispose();
      return Float32Array.from(taken);
    };
    const other = { ...batch, images: batch.images.slice() };
    // Only the second share, that of the smallest path, which has no such candidate.
    const image = batch.images.length / 16;
    other.images.subarray(4 * image, 8 * image).fill(0.5);
    const [moments, others] = [momentsOf(batch), momentsOf(other)];
    assert.ok(moments.length > 0);
    assert.deepEqual(moments, others);
  });
});
