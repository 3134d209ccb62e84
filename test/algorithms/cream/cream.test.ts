import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import type { CreamState } from '../../../src/algorithms/cream/state.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { isSamePath } from '../../../src/searchspace/path.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { scorePath } from '../../../src/selection/score.ts';
import { train } from '../../../src/training/loop.ts';
import { pathsToRank } from '../../../src/training/report.ts';
import { initialState, type SearchState } from '../../../src/training/state.ts';
import { nativeEngine } from '../../support/engine.ts';
import { METRIC_KEYS } from '../../support/metrics.ts';
import {
  tinyContext,
  tinyHeldOut,
  tinyMacs,
  tinySearch,
  tinySupernet,
  twinSpace,
  type TinyChanges,
  type TinyContext,
} from '../../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** Images of the ranking part's first batch: what an epoch report measures on. */
const REPORTED = 32;

const pause = (): Promise<void> => Promise.resolve();

describe('a Cream search', () => {
  const states: SearchState<CreamState>[] = [];
  let end: SearchState<CreamState>;
  let context: TinyContext<CreamState>;
  /** What the ten stand-ins achieved at the moment of the first report. */
  let standIns: { mean: number; bestMacs: number; paths: number };

  before(async () => {
    const search = tinySearch(cream, { rankingImages: REPORTED, boardSize: 2, pathsPerStep: 4 });
    const supernet = tinySupernet(engine);
    context = tinyContext(supernet, search, {
      emit: async (event) => {
        if (event.kind === 'step') states.push(event.state as SearchState<CreamState>);
        if (event.kind !== 'epoch' || event.epoch > 0) return;
        const { sampling } = search.setting;
        const draw = { seed: search.plan.seed, sampling, epoch: 0 };
        const paths = pathsToRank(states.at(-1)!, search.algorithm, draw);
        const { calibration, ranking } = tinyHeldOut;
        const data = { calibration, images: ranking.slice(0, 1), pause };
        const scores = [];
        for (const path of paths) scores.push(await scorePath(supernet, path, data));
        const best = Math.max(...scores.map(({ accuracy }) => accuracy));
        standIns = {
          paths: scores.length,
          mean: scores.reduce((sum, { accuracy }) => sum + accuracy / scores.length, 0),
          bestMacs: tinyMacs(scores.find(({ accuracy }) => accuracy === best)!.path),
        };
      },
    });
    end = await train(initialState(supernet, search.algorithm.initialState()), context);
  });
  after(() => {
    end.supernet.dispose();
  });

  it('reports every epoch, the same finite numbers under the same keys', () => {
    assert.equal(states.length, 60);
    assert.equal(context.reports.length, 3);
    assert.deepEqual(end.reports, context.reports);
    for (const metrics of context.reports) {
      assert.deepEqual(Object.keys(metrics).sort(), METRIC_KEYS);
      assert.ok(Object.values(metrics).every(Number.isFinite), JSON.stringify(metrics));
    }
    const losses = [19, 39, 59].map((last) => states[last]!.tally);
    assert.deepEqual(losses.map(({ steps }) => steps), [20, 20, 20]); // prettier-ignore
    assert.deepEqual(
      context.reports.map(({ loss }) => loss),
      losses.map(({ loss }) => loss / 20),
    );
  });

  it('before the board opens: mean accuracy of 10 random paths, no distillation', () => {
    const first = context.reports[0]!;
    assert.equal(standIns.paths, 10);
    assert.ok(Math.abs(first['boardMean']! - standIns.mean) < 1e-9);
    assert.equal(first.default, first['boardMean']);
    assert.equal(first['bestMacs'], standIns.bestMacs);
    assert.equal(first['kdLoss'], 0);
    assert.equal(first['rho'], 0);
  });

  it('afterwards: best and mean accuracy of the board, distillation at work', () => {
    for (const metrics of context.reports.slice(1)) {
      assert.ok(metrics['kdLoss']! > 0);
      assert.ok(metrics['rho']! > 0 && metrics['rho']! < 1);
      assert.ok(metrics.default >= metrics['boardMean']!);
    }
    const last = context.reports.at(-1)!;
    assert.equal(last.default, end.ranking[0]!.accuracy);
    assert.equal(last['bestMacs'], tinyMacs(end.ranking[0]!.path));
    assert.ok(last.default > 0.6, `far better than chance: ${last.default}`);
    assert.equal(last['lr'], 0);
    assert.ok(context.reports[0]!['loss']! > last['loss']!, 'the loss fell');
  });

  it('opens the board after the warm-up, distils and takes meta steps that move phi', () => {
    const sizes = states.map(({ own }) => own.board.entries.length);
    assert.ok(sizes.slice(0, 20).every((size) => size === 0));
    assert.ok(sizes.slice(20).every((size) => size > 0));
    const { activity, meta } = end.own;
    assert.equal(activity.boardOpenedAtEpoch, 1);
    // Rounds after the steps 20 and 49: two applicants, then both entries and two applicants.
    assert.equal(activity.measurements, 2 + 4);
    assert.equal(sizes[20], 2);
    assert.ok(activity.admissions >= 2 && activity.admissions <= 4);
    // Four paths in each of 39 steps; with two entries one is always left for a student to learn from.
    assert.equal(activity.lessons, 39 * 4);
    // The first meta step is the one of step 30: the board opens after that of step 20.
    assert.equal(activity.metaSteps, 3);
    assert.ok(meta.weight.every((w, i) => w !== states[0]!.own.meta.weight[i]));
  });

  it('opens its board by the paths with the largest leads, and starts to wait again', () => {
    const [before, opened] = [states[19]!.own, states[20]!.own];
    assert.equal(before.applicants.length, 2);
    assert.deepEqual(opened.applicants, []);
    for (const { own } of states) {
      assert.ok(own.applicants.length <= 2);
      for (const { path } of own.applicants) {
        assert.ok(!own.board.entries.some((entry) => isSamePath(entry.path, path)));
      }
    }
    const changed = states.flatMap(({ own }, i) => (own.board === states[i - 1]?.own.board ? [] : [i])); // prettier-ignore
    assert.deepEqual(changed, [0, 20, 49]);
  });

  it('writes every measurement of a round back: the numbers of an entry follow the weights', () => {
    const [early, late] = [states[48]!.own.board, states[49]!.own.board];
    for (const entry of late.entries) {
      const earlier = early.entries.find(({ path }) => isSamePath(path, entry.path));
      if (earlier === undefined) assert.equal(entry.since, 49);
      else {
        assert.equal(entry.since, 20);
        assert.notEqual(entry.crossEntropy, earlier.crossEntropy);
        assert.notDeepEqual(entry.probabilities, earlier.probabilities);
      }
    }
  });

  it('keeps rho away from 0 and 1', () => {
    const { rhoMin, rhoMax, rhoSum, lessons } = end.own.activity;
    assert.ok(rhoMin > 0.07 && rhoMax < 0.93, `${rhoMin} to ${rhoMax}`);
    const mean = rhoSum / lessons;
    assert.ok(mean > rhoMin && mean < rhoMax);
  });

  it('never changes phi in a student step; only meta steps do, on their own interval', () => {
    const metaSteps = states.map(({ own }) => own.activity.metaSteps);
    assert.equal(metaSteps.at(-1), 3);
    states.slice(1).forEach((state, i) => {
      const previous = states[i]!;
      const isMetaStep = state.own.activity.metaSteps > previous.own.activity.metaSteps;
      if (isMetaStep) assert.equal(previous.step % 10, 0);
      else assert.deepEqual(state.own.meta, previous.own.meta);
    });
    assert.deepEqual(states[19]!.own.meta, states[0]!.own.meta);
  });

  it('ranks its board at the end, measured anew on the whole ranking part, best first', async () => {
    const { ranking, own } = end;
    assert.equal(ranking.length, own.board.entries.length);
    for (const { path, accuracy, crossEntropy } of ranking) {
      assert.ok(own.board.entries.some((entry) => isSamePath(entry.path, path)));
      const { calibration, ranking: images } = tinyHeldOut;
      const wanted = await scorePath(end.supernet, path, { calibration, images, pause });
      assert.deepEqual({ path, accuracy, crossEntropy }, wanted);
    }
    const accuracies = ranking.map(({ accuracy }) => accuracy);
    assert.deepEqual(accuracies, accuracies.toSorted((a, b) => b - a)); // prettier-ignore
  });

  it('tells of the board in the order of a ranking, and of what was at work', () => {
    const search = tinySearch(cream);
    const { board, activity, summary } = search.algorithm.describe(end.own, end.ranking);
    assert.deepEqual(board.map(({ path }) => path), end.ranking.map(({ path }) => path)); // prettier-ignore
    const entries = end.own.board.entries;
    for (const { path, facts } of board) {
      const entry = entries.find((each) => isSamePath(each.path, path))!;
      assert.deepEqual(facts, {
        miniSetTop1: entry.accuracy,
        miniSetCrossEntropy: entry.crossEntropy,
        epoch: Math.floor(entry.since / 20),
      });
    }
    assert.equal(activity['metaSteps'], 3);
    // Three steps of 0.05 from weights of U(-1, 1): not nothing, and not the whole way.
    assert.ok(activity['phiChange']! > 0.02 && activity['phiChange']! < 1);
    assert.match(summary, /^the board opened in epoch 2; 6 measurements, [2-4] admissions, 3 meta/);
  });
});

/** A search of a small space whose weights are gone afterwards. */
async function run(
  changes: TinyChanges,
  onStep: (state: SearchState<CreamState>) => void,
  space?: typeof twinSpace,
): Promise<SearchState<CreamState>> {
  const search = tinySearch(cream, { pathsPerStep: 4, ...changes }, space);
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
