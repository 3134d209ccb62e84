import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import type { SearchMetrics } from '../../src/training/ports.ts';
import { search, type SearchContext, type SearchOutcome } from '../../src/training/loop.ts';
import type { SearchSettings } from '../../src/training/plan.ts';
import { measurePath, rankPaths } from '../../src/training/ranking.ts';
import { pathsToRank } from '../../src/training/report.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { isSamePath } from '../../src/algorithms/cream/board.ts';
import { metaDifference, metaNorm } from '../../src/algorithms/cream/meta-network.ts';
import { nativeEngine } from '../support/engine.ts';
import { METRIC_KEYS } from '../support/metrics.ts';
import {
  tinyContext,
  tinyHeldOut,
  tinyMacs,
  tinyPlan,
  tinySupernet,
  type RecordingReporter,
} from '../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** A search of the tiny space; its weights are gone afterwards. */
async function run(settings: Partial<SearchSettings> = {}, context: Partial<SearchContext> = {}) {
  const plan = tinyPlan(settings);
  const supernet = tinySupernet(engine, plan.seed);
  const around = tinyContext({ plan, ...context });
  try {
    const outcome = await search(initialState(supernet, plan), around);
    const snapshot = structuredClone(takeSnapshot(outcome.state));
    return { outcome, reporter: around.reporter, snapshot };
  } finally {
    supernet.dispose();
  }
}

/** Images of the ranking part's first batch: what an epoch report measures on. */
const REPORTED = 32;

describe('search', () => {
  const states: SearchState[] = [];
  let outcome: SearchOutcome;
  let reporter: RecordingReporter;
  /** What the ten stand-ins achieved at the moment of the first report. */
  let standIns: { mean: number; bestMacs: number; paths: number };

  before(async () => {
    const onStep = (state: SearchState): void => void states.push(state);
    const context = tinyContext({ plan: tinyPlan({ rankingImages: REPORTED }), onStep });
    const recording = context.reporter;
    const watching = {
      ...recording,
      intermediate: async (metrics: SearchMetrics, epoch: number): Promise<void> => {
        await recording.intermediate(metrics, epoch);
        if (epoch > 0) return;
        const paths = pathsToRank(states.at(-1)!, context, 0);
        const ranked = await rankPaths(states.at(-1)!.supernet, paths, {
          calibration: tinyHeldOut.calibration,
          images: () => [...tinyHeldOut.ranking].slice(0, 1),
          pause: () => Promise.resolve(),
        });
        standIns = {
          paths: ranked.length,
          mean: ranked.reduce((sum, { accuracy }) => sum + accuracy / ranked.length, 0),
          bestMacs: tinyMacs(ranked[0]!.path),
        };
      },
    };
    const supernet = tinySupernet(engine);
    outcome = await search(initialState(supernet, context.plan), {
      ...context,
      reporter: watching,
    });
    reporter = recording;
  });
  after(() => {
    outcome.state.supernet.dispose();
  });

  it('reports every epoch and once at the end, the same finite numbers under the same keys', () => {
    assert.equal(states.length, 60);
    assert.equal(reporter.intermediates.length, 3);
    assert.deepEqual(reporter.finals, [reporter.intermediates.at(-1)]);
    for (const metrics of reporter.intermediates) {
      assert.deepEqual(Object.keys(metrics).sort(), METRIC_KEYS);
      assert.ok(Object.values(metrics).every(Number.isFinite), JSON.stringify(metrics));
    }
    const losses = [19, 39, 59].map((last) => states[last]!.tally);
    assert.deepEqual(losses.map(({ steps }) => steps), [20, 20, 20]); // prettier-ignore
    assert.deepEqual(
      reporter.intermediates.map(({ loss }) => loss),
      losses.map(({ loss }) => loss / 20),
    );
  });

  it('before the board opens: mean accuracy of 10 random paths, no distillation', () => {
    const first = reporter.intermediates[0]!;
    assert.equal(standIns.paths, 10);
    assert.ok(Math.abs(first.boardMean - standIns.mean) < 1e-9);
    assert.equal(first.default, first.boardMean);
    assert.equal(first.bestMacs, standIns.bestMacs);
    assert.equal(first.kdLoss, 0);
    assert.equal(first.rho, 0);
  });

  it('afterwards: best and mean accuracy of the board, distillation at work', () => {
    for (const metrics of reporter.intermediates.slice(1)) {
      assert.ok(metrics.kdLoss > 0);
      assert.ok(metrics.rho > 0 && metrics.rho < 1);
      assert.ok(metrics.default >= metrics.boardMean);
    }
    const last = reporter.finals[0]!;
    assert.equal(last.default, outcome.ranking[0]!.accuracy);
    assert.equal(last.bestMacs, tinyMacs(outcome.ranking[0]!.path));
    assert.ok(last.default > 0.6, `far better than chance: ${last.default}`);
    assert.equal(last.lr, 0);
    assert.ok(reporter.intermediates[0]!.loss > last.loss, 'the loss fell');
  });

  it('opens the board after the warm-up, distils and takes meta steps that move phi', () => {
    const sizes = states.map(({ board }) => board.entries.length);
    assert.ok(sizes.slice(0, 20).every((size) => size === 0));
    assert.ok(sizes.slice(20).every((size) => size > 0));
    const { activity, meta } = outcome.state;
    assert.equal(activity.boardOpenedAtEpoch, 1);
    assert.ok(activity.admissions > 0 && activity.admissions <= activity.measurements);
    assert.ok(activity.measurements <= 0.1 * 3 * 60 * (16 / 32));
    assert.ok(activity.distilledSteps > 20);
    assert.ok(activity.rhoMin < activity.rhoMax);
    assert.ok(metaNorm(metaDifference(meta, states[0]!.meta)) > 0);
  });

  it('case 10: student steps never change phi; only meta steps do, on their own interval', () => {
    const metaSteps = states.map(({ activity }) => activity.metaSteps);
    assert.ok(metaSteps.at(-1)! >= 2);
    states.slice(1).forEach((state, i) => {
      const previous = states[i]!;
      const isMetaStep = state.activity.metaSteps > previous.activity.metaSteps;
      if (isMetaStep) assert.equal(previous.step % 10, 0);
      else assert.deepEqual(state.meta, previous.meta);
    });
    assert.deepEqual(states[19]!.meta, states[0]!.meta);
  });

  it('answers with its board, measured anew on the whole ranking part, best first', async () => {
    const { ranking, state } = outcome;
    assert.equal(ranking.length, state.board.entries.length);
    for (const { path, accuracy } of ranking) {
      assert.ok(state.board.entries.some((entry) => isSamePath(entry.path, path)));
      const { calibration, ranking: all } = tinyHeldOut;
      const data = { calibration, images: () => all, pause: () => Promise.resolve() };
      const wanted = await measurePath(state.supernet, path, data);
      assert.equal(accuracy, wanted);
    }
    const accuracies = ranking.map(({ accuracy }) => accuracy);
    assert.deepEqual(accuracies, accuracies.toSorted((a, b) => b - a)); // prettier-ignore
  });
});

describe('a search', () => {
  it('repeats bit for bit with the same seed and differs with another', async () => {
    const short = { epochs: 2, imagesPerEpoch: 192 };
    const first = await run(short);
    const second = await run(short);
    assert.ok(first.outcome.state.activity.distilledSteps > 0);
    assert.deepEqual(second.snapshot, first.snapshot);
    assert.deepEqual(second.outcome.ranking, first.outcome.ranking);
    const other = await run({ ...short, seed: 2 });
    assert.notDeepEqual(other.snapshot, first.snapshot);
  });

  it('R18: holds the same number of tensors over 200 steps', async () => {
    const counts: number[] = [];
    const onStep = (): void => void counts.push(engine.tensorCount());
    // Every parameter has its slot when the board opens after 67 of 268 steps.
    const settings = {
      epochs: 4,
      imagesPerEpoch: 268,
      batchSize: 4,
      metaImages: 4,
      metaInterval: 10,
    };
    const { outcome } = await run(settings, { onStep });
    const { activity, board } = outcome.state;
    assert.ok(activity.metaSteps >= 15 && activity.admissions > board.capacity);
    const steady = counts.slice(-200);
    assert.deepEqual([...new Set(steady)], [steady[0]]);
  });

  it('R14: trains and keeps only paths inside the range of MACs', async () => {
    const [minMacs, maxMacs] = [tinyMacs([0, 0, 1]), tinyMacs([1, 1, 1])];
    const seen: number[] = [];
    const macsOf: SearchContext['macsOf'] = (path) => tinyMacs(path);
    const onStep = ({ board }: SearchState): void => {
      seen.push(...board.entries.map(({ macs }) => macs));
    };
    const settings = { epochs: 2, imagesPerEpoch: 192, minMacs, maxMacs };
    const { outcome } = await run(settings, { macsOf, onStep });
    assert.ok(seen.length > 0 && outcome.ranking.length > 0);
    assert.ok(seen.every((macs) => macs >= minMacs && macs <= maxMacs));
  });

  it('ends with the error of a pause that throws, at that step', async () => {
    const stop = new Error('SIGTERM');
    let pauses = 0;
    let steps = 0;
    const between = (): Promise<void> =>
      ++pauses === 3 ? Promise.reject(stop) : Promise.resolve();
    const onStep = (): void => {
      steps++;
    };
    await assert.rejects(run({}, { between, onStep }), stop);
    assert.equal(steps, 3);
  });
});
