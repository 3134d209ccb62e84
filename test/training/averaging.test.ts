import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Score } from '../../src/algorithms/algorithm.ts';
import { spos } from '../../src/algorithms/spos/spos.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { scorePath } from '../../src/selection/score.ts';
import { train } from '../../src/training/loop.ts';
import { restoreWeights, takeSnapshot, type Snapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinyContext, tinyHeldOut, tinySearch, tinySupernet } from '../support/tiny.ts';

/** What a search of two epochs leaves. */
interface Ended {
  readonly snapshot: Snapshot;
  readonly ranking: readonly Score[];
}

let plain: Ended;
let averaged: Ended;
let engine: Engine;

before(async () => {
  engine = await nativeEngine();
  plain = await searchWith(0);
  averaged = await searchWith(0.25);
});

async function searchWith(averaging: number): Promise<Ended> {
  const search = tinySearch(spos, { epochs: 2, imagesPerEpoch: 160, averaging });
  const supernet = tinySupernet(engine);
  const context = tinyContext(supernet, search);
  const state = await train(initialState(supernet, search.algorithm.initialState()), context);
  const snapshot = structuredClone(takeSnapshot(state, search));
  supernet.dispose();
  return { snapshot, ranking: state.ranking };
}

/** Arrays of a kind by the name of their parameter. */
function arraysOf({ snapshot }: Ended, kind: string): Map<string, Float32Array> {
  const own = snapshot.arrays.filter(({ name }) => name.startsWith(`${kind}/`));
  return new Map(own.map(({ name, values }) => [name.slice(kind.length), values as Float32Array]));
}

describe('a search that averages its weights', () => {
  it('trains as one that does not, bit for bit', () => {
    assert.deepEqual(arraysOf(averaged, 'weight'), arraysOf(plain, 'weight'));
    assert.deepEqual(arraysOf(averaged, 'velocity'), arraysOf(plain, 'velocity'));
    assert.equal(arraysOf(plain, 'average').size, 0);
  });

  it('saves an average of each parameter that was trained', () => {
    const averages = arraysOf(averaged, 'average');
    assert.deepEqual([...averages.keys()], [...arraysOf(averaged, 'velocity').keys()]);
    assert.notDeepEqual(averages, arraysOf(averaged, 'weight'));
  });

  it('ranks by the averages, and these are what another task inherits', async () => {
    assert.notDeepEqual(averaged.ranking, plain.ranking);
    const supernet = tinySupernet(engine, 9);
    restoreWeights(averaged.snapshot, supernet);
    for (const { path, ...score } of averaged.ranking) {
      const { calibration, ranking: images } = tinyHeldOut;
      const pause = (): Promise<void> => Promise.resolve();
      const { accuracy, crossEntropy } = await scorePath(supernet, path, { calibration, images, pause }); // prettier-ignore
      assert.deepEqual({ accuracy, crossEntropy }, score);
    }
    supernet.dispose();
  });
});
