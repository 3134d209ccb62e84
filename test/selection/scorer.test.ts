import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Score } from '../../src/algorithms/algorithm.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { macsModel } from '../../src/searchspace/cost-model.ts';
import { pathOfCode } from '../../src/searchspace/path.ts';
import { scoreOf, scorePath } from '../../src/selection/score.ts';
import { firstBatches, memoryCache, Scorer, type ScoreCache } from '../../src/selection/scorer.ts';
import { Supernet } from '../../src/supernet/supernet.ts';
import { nativeEngine } from '../support/engine.ts';
import { shippedSpace } from '../support/spaces.ts';
import { tinyBatch, tinyHeldOut, tinyMacs, tinySupernet, trainPath } from '../support/tiny.ts';

const path = [1, 2, 1];
const { calibration, ranking } = tinyHeldOut;
/** Batches of one score on all images. */
const BATCHES = 5;

let engine: Engine;
let supernet: Supernet;
let pauses = 0;
let scorer: Scorer;

const pause = (): Promise<void> => {
  pauses++;
  return Promise.resolve();
};
const occasion = { weights: 'step 30', images: Infinity, pause };

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
  for (let step = 0; step < 30; step++) trainPath(supernet, path, tinyBatch(16, 'x', step));
});
after(() => {
  supernet.dispose();
});
beforeEach(() => {
  pauses = 0;
  scorer = scorerWith(memoryCache());
});

function scorerWith(cache: ScoreCache): Scorer {
  return new Scorer({ supernet, heldOut: tinyHeldOut, cache, scoreBy: 'accuracy' });
}

describe('a scorer', () => {
  it('sorts by cross-entropy, lowest first, where that is what counts', async () => {
    const byNats = new Scorer({
      supernet,
      heldOut: tinyHeldOut,
      cache: memoryCache(),
      scoreBy: 'crossEntropy',
    });
    const paths = [[0, 0, 0], path, [2, 1, 2], [1, 1, 1]]; // prettier-ignore
    const ranked = await byNats.rank(paths, { ...occasion, images: 32 });
    const nats = ranked.map(({ crossEntropy }) => crossEntropy);
    assert.deepEqual(
      nats,
      [...nats].sort((a, b) => a - b),
    );
    assert.deepEqual(ranked[0]!.path, path, 'the only trained one');
  });

  it('sorts by accuracy, best first, and pauses after each batch', async () => {
    const paths = [[0, 0, 0], path, [2, 1, 2]]; // prettier-ignore
    const ranked = await scorer.rank(paths, { ...occasion, images: 32 });
    assert.equal(pauses, 3 * (calibration.length + 1));
    assert.deepEqual(ranked[0]!.path, path, 'the only trained one');
    const accuracies = ranked.map(({ accuracy }) => accuracy);
    assert.deepEqual(accuracies, accuracies.toSorted((a, b) => b - a)); // prettier-ignore
    for (const score of ranked) {
      const data = { calibration, images: ranking.slice(0, 1), pause };
      assert.deepEqual(score, await scorePath(supernet, score.path, data));
    }
  });

  it('puts the cheaper of equal paths first, whatever their order was', async () => {
    const known = new Map<string, Omit<Score, 'path'>>();
    const cache: ScoreCache = {
      get: () => ({ accuracy: 0.5, crossEntropy: 1 }),
      set: (key, score) => void known.set(key, score),
    };
    const paths = [[2, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]]; // prettier-ignore
    const wanted = paths.toSorted((a, b) => tinyMacs(a) - tinyMacs(b));
    assert.notDeepEqual(wanted, paths);
    for (const order of [paths, paths.toReversed()]) {
      const ranked = await scorerWith(cache).rank(order, occasion);
      assert.deepEqual(ranked.map((score) => score.path), wanted); // prettier-ignore
    }
    assert.equal(known.size, 0);
  });

  it('gives the answers behind a score, and takes them again only where they are gone', async () => {
    const cache = memoryCache();
    const { accuracy, crossEntropy } = await scorerWith(cache).score(path, occasion);
    const later = scorerWith(cache);
    await later.score(path, occasion);
    assert.equal(pauses, BATCHES);
    const answers = await later.answers(path, occasion);
    assert.equal(pauses, 2 * BATCHES);
    assert.deepEqual(scoreOf(path, answers), { path, accuracy, crossEntropy });
    assert.deepEqual(await later.answers(path, occasion), answers);
    assert.equal(pauses, 2 * BATCHES);
  });

  it('measures a path once for a state of the weights, and gives the same numbers again', async () => {
    const first = await scorer.score(path, occasion);
    assert.equal(pauses, BATCHES);
    assert.deepEqual(await scorer.score([...path], occasion), first);
    assert.deepEqual(await scorer.rank([path, path], occasion), [first, first]);
    assert.equal(pauses, BATCHES);
  });

  it('measures anew with other weights, on other images, and another path', async () => {
    await scorer.score(path, occasion);
    await scorer.score(path, { ...occasion, weights: 'step 31' });
    assert.equal(pauses, 2 * BATCHES);
    await scorer.score([1, 2, 0], occasion);
    assert.equal(pauses, 3 * BATCHES);
    await scorer.score(path, { ...occasion, images: 33 });
    assert.equal(pauses, 4 * BATCHES - 1);
  });

  it('takes another number of images that means the same batches for the same', async () => {
    await scorer.score(path, { ...occasion, images: 1 });
    const measured = pauses;
    await scorer.score(path, { ...occasion, images: 32 });
    assert.equal(pauses, measured);
  });

  it('does not keep a score whose measurement was interrupted', async () => {
    const stop = new Error('SIGTERM');
    let left = BATCHES - 1;
    const interrupted = (): Promise<void> =>
      left-- > 0 ? Promise.resolve() : Promise.reject(stop);
    await assert.rejects(scorer.score(path, { ...occasion, pause: interrupted }), stop);
    const tensors = engine.tensorCount();
    const whole = await scorer.score(path, occasion);
    assert.equal(pauses, BATCHES);
    assert.equal(whole.accuracy, (await scorer.score(path, occasion)).accuracy);
    assert.equal(engine.tensorCount(), tensors);
  });
});

describe('the order of scores', () => {
  const space = shippedSpace('nas-bench-macro');
  const scoreFor = (code: string, accuracy: number, crossEntropy: number): Score => {
    return { path: pathOfCode(space, code, code), accuracy, crossEntropy };
  };
  let macro: Supernet;
  before(() => {
    macro = new Supernet(engine, space, 1, 'official');
  });
  after(() => {
    macro.dispose();
  });

  it('is total: by the score, then by the cost, then by the candidates', () => {
    // Of the second and the third the cost is the same: the candidates change places within a stage.
    const ordered = [
      scoreFor('22222222', 0.5, 1),
      scoreFor('00012000', 0.4, 2),
      scoreFor('00021000', 0.4, 2),
      scoreFor('00022000', 0.4, 2),
      scoreFor('00000000', 0.3, 3),
    ];
    const costs = ordered.map(({ path: each }) => macsModel(space).cost(each));
    assert.equal(costs[1], costs[2]);
    for (const scoreBy of ['accuracy', 'crossEntropy'] as const) {
      const options = { supernet: macro, heldOut: tinyHeldOut, cache: memoryCache() };
      const scorerBy = new Scorer({ ...options, scoreBy });
      for (const [i, a] of ordered.entries()) {
        for (const [j, b] of ordered.entries()) {
          assert.equal(Math.sign(scorerBy.compare(a, b)), Math.sign(i - j), `${i} ${j}`);
        }
      }
      assert.equal(scorerBy.compareNumbers(ordered[1]!, ordered[3]!), 0);
      assert.notEqual(scorerBy.compareNumbers(ordered[0]!, ordered[1]!), 0);
    }
  });
});

describe('firstBatches', () => {
  it('are the first ones that hold the wanted number of images', () => {
    const batches = [3, 3, 2].map((count) => tinyBatch(count, 'ranking'));
    const counts = [1, 3, 4, 8, Infinity].map(
      (images) => [...firstBatches(batches, images)].length,
    );
    assert.deepEqual(counts, [1, 1, 2, 3, 3]);
  });
});
