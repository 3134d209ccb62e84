import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import { metaDifference, metaNorm } from '../../../src/algorithms/cream/meta-network.ts';
import type { CreamState } from '../../../src/algorithms/cream/state.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { isSamePath } from '../../../src/searchspace/path.ts';
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
    const search = tinySearch(cream, { rankingImages: REPORTED });
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
    assert.ok(activity.admissions > 0 && activity.admissions <= activity.measurements);
    assert.ok(activity.measurements <= 0.1 * 3 * 60 * (16 / 32));
    assert.ok(activity.distilledSteps > 20);
    assert.ok(activity.rhoMin < activity.rhoMax);
    assert.ok(metaNorm(metaDifference(meta, states[0]!.own.meta)) > 0);
  });

  it('never changes phi in a student step; only meta steps do, on their own interval', () => {
    const metaSteps = states.map(({ own }) => own.activity.metaSteps);
    assert.ok(metaSteps.at(-1)! >= 2);
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
        trainBatchTop1: entry.batchAccuracy,
        epoch: Math.floor(entry.step / 20),
      });
    }
    const { rhoSum, distilledSteps, metaSteps } = end.own.activity;
    assert.equal(activity['metaSteps'], metaSteps);
    assert.equal(activity['rhoMean'], rhoSum / distilledSteps);
    assert.ok(activity['phiChange']! > 0);
    assert.match(summary, /the board opened in epoch 2; \d+ admissions, \d+ meta steps; phi moved/);
  });
});

/** A search of the tiny space whose weights are gone afterwards. */
async function run(
  changes: TinyChanges,
  onStep: (state: SearchState<CreamState>) => void,
): Promise<SearchState<CreamState>> {
  const search = tinySearch(cream, changes);
  const supernet = tinySupernet(engine);
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
    // Every parameter has its slot when the board opens after 67 of 268 steps.
    const settings = {
      epochs: 4,
      imagesPerEpoch: 268,
      batchSize: 4,
      metaImages: 4,
      metaInterval: 10,
    };
    const { own } = await run(settings, () => void counts.push(engine.tensorCount()));
    const { activity, board } = own;
    assert.ok(activity.metaSteps >= 15 && activity.admissions > board.capacity);
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
});
