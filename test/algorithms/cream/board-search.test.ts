import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import type { CreamState } from '../../../src/algorithms/cream/state.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { train } from '../../../src/training/loop.ts';
import { initialState, type SearchState } from '../../../src/training/state.ts';
import { nativeEngine } from '../../support/engine.ts';
import {
  tinyContext,
  tinyMacs,
  tinySearch,
  tinySupernet,
  twinSpace,
  type TinyChanges,
} from '../../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** A search of a small space whose weights are gone afterwards. */
async function run(
  changes: TinyChanges,
  onStep: (state: SearchState<CreamState>) => void,
  space?: typeof twinSpace,
): Promise<SearchState<CreamState>> {
  const search = tinySearch(cream, changes, space);
  const supernet = tinySupernet(engine, 1, space);
  const context = tinyContext(supernet, search, {
    emit: (event) => {
      if (event.kind === 'step') onStep(event.state as SearchState<CreamState>);
    },
  });
  try {
    return await train(initialState(supernet, search.algorithm.initialState()), context);
  } finally {
    supernet.dispose();
  }
}

describe('the board of a Cream search', () => {
  it('holds the same number of tensors over 200 steps that admit, distil and take meta steps', async () => {
    const counts: number[] = [];
    // Every parameter has its slot when the board opens after 67 of 268 steps; a round in 57 steps.
    const settings = {
      epochs: 4,
      imagesPerEpoch: 268,
      batchSize: 4,
      boardSize: 1,
      pathsPerStep: 2,
      metaImages: 4,
      metaInterval: 10,
    };
    const { own } = await run(settings, () => void counts.push(engine.tensorCount()));
    const { activity } = own;
    assert.ok(activity.metaSteps >= 10, String(activity.metaSteps));
    assert.equal(activity.measurements, 1 + 3 * 2);
    const steady = counts.slice(-200);
    assert.deepEqual([...new Set(steady)], [steady[0]]);
  });

  it('has only paths inside the range of multiply-accumulates', async () => {
    const [minMacs, maxMacs] = [tinyMacs([0, 0, 1]), tinyMacs([1, 1, 1])];
    const seen: number[] = [];
    const settings = { epochs: 2, imagesPerEpoch: 192, minMacs, maxMacs };
    const { ranking } = await run(settings, ({ own }) => {
      seen.push(...own.board.entries.map(({ macs }) => macs));
    });
    assert.ok(seen.length > 0 && ranking.length > 0);
    assert.ok(seen.every((macs) => macs >= minMacs && macs <= maxMacs));
  });

  it('holds a network once, by whichever of its paths it was trained', async () => {
    // 21 networks of 27 paths, of which 20 have a place: twins would surely meet.
    const settings = { epochs: 2, imagesPerEpoch: 240, batchSize: 4, boardSize: 20, metaImages: 4 };
    const trained = new Set<string>();
    const { own } = await run(
      { ...settings, pathsPerStep: 2 },
      ({ own: { applicants, board } }) => {
        for (const { path } of [...applicants, ...board.entries]) trained.add(networkOf(path));
        const networks = [...applicants, ...board.entries].map(({ path }) => networkOf(path));
        assert.equal(new Set(networks).size, networks.length, networks.join(' '));
      },
      twinSpace,
    );
    assert.equal(trained.size, 21);
    assert.equal(own.board.entries.length, 20);
  });
});

/** Of the twin space: what its first block does, and what is left of the others without identities. */
function networkOf([first, ...others]: Path): string {
  return [first, ':', ...others.filter((candidate) => candidate !== 0)].join('');
}
