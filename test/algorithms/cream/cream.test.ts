import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Learner, PathGradients } from '../../../src/algorithms/algorithm.ts';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import { metaStep } from '../../../src/algorithms/cream/meta-step.ts';
import type { CreamState } from '../../../src/algorithms/cream/state.ts';
import type { Batch } from '../../../src/data/stream/batch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { isSamePath, pathKey } from '../../../src/searchspace/path.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { scorePath } from '../../../src/selection/score.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { train } from '../../../src/training/loop.ts';
import { pathsToRank } from '../../../src/training/report.ts';
import { initialState, type SearchState } from '../../../src/training/state.ts';
import { nativeEngine } from '../../support/engine.ts';
import { METRIC_KEYS } from '../../support/metrics.ts';
import {
  tinyBatch,
  tinyContext,
  tinyEntry,
  tinyHeldOut,
  tinyLearner,
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
    const search = tinySearch(cream, { rankingImages: REPORTED, boardSize: 2 });
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

/** What a step did with its learner. */
interface Recorded {
  readonly parts: { readonly path: Path; readonly batch: Batch; readonly part: PathGradients }[];
  readonly measured: { readonly path: Path; readonly images: number }[];
}

/** A learner that is watched. */
function watched(learner: Learner): { learner: Learner; seen: Recorded } {
  const seen: Recorded = { parts: [], measured: [] };
  return {
    seen,
    learner: {
      supernet: learner.supernet,
      lr: learner.lr,
      gradientsOf: (path, batch, lossOf) => {
        const part = learner.gradientsOf(path, batch, lossOf);
        seen.parts.push({ path, batch, part });
        return part;
      },
      update: (parts) => learner.update(parts),
      evaluate: (path, batch) => {
        seen.measured.push({ path, images: batch.count });
        return learner.evaluate(path, batch);
      },
    },
  };
}

const entries = [tinyEntry([2, 1, 2]), tinyEntry([0, 1, 0]), tinyEntry([1, 2, 2])];

describe('a step of Cream', () => {
  /** Trained by the steps of a test. */
  let supernet: Supernet;
  /** As it was before. */
  let untrained: Supernet;

  beforeEach(() => {
    supernet = tinySupernet(engine);
    untrained = tinySupernet(engine);
  });
  afterEach(() => {
    supernet.dispose();
    untrained.dispose();
  });

  /** One step from a board of three, which is not measured in it. */
  function step(changes: TinyChanges, at: number) {
    const { algorithm } = tinySearch(cream, changes);
    const state = { ...algorithm.initialState(), board: { capacity: 4, entries } };
    const batch = tinyBatch(16, 'training', at);
    const inner = tinyLearner(supernet);
    const { learner, seen } = watched(inner);
    const epoch = Math.floor(at / 20);
    const result = algorithm.step(state, { step: at, epoch, batch, heldOut: tinyHeldOut, learner });
    inner.dispose();
    return { state, next: result.next!, result, seen, batch };
  }

  /** What a student's lesson should be by definition, before the step. */
  function wanted(student: Path, share: Batch, { weight, bias }: CreamState['meta']) {
    const own = predict(untrained, tinyHeldOut.board.images.slice(0, 2 * 192), student);
    const scores = entries.map(({ path, probabilities }) => {
      const apart = [...own].map((p, i) => p - probabilities[i]!);
      const length = Math.hypot(...apart);
      const linear = apart.reduce((sum, d, i) => sum + (weight[i]! * d) / length, bias);
      return isSamePath(path, student) ? -Infinity : 2.5 * Math.tanh(linear / 2.5);
    });
    const best = Math.max(...scores);
    const teacher = entries[scores.indexOf(best)]!;
    const [teaching, said] = [teacher.path, student].map((path) => predict(untrained, share.images, path)); // prettier-ignore
    const kd = [...teaching!].reduce((sum, q, i) => sum - q * Math.log(said![i]!), 0);
    return { teacher: teacher.path, rho: 1 / (1 + Math.exp(-best)), kd: kd / share.count };
  }

  it('trains four paths, each on its own quarter of the batch, and updates once', () => {
    const { seen, result, batch } = step({}, 21);
    assert.deepEqual(result.paths, seen.parts.map(({ path }) => path)); // prettier-ignore
    assert.deepEqual(seen.parts.map((each) => each.batch.count), [4, 4, 4, 4]); // prettier-ignore
    assert.deepEqual(seen.parts.flatMap((each) => [...each.batch.labels]), [...batch.labels]); // prettier-ignore
    assert.deepEqual(seen.parts.flatMap((each) => [...each.batch.images]), [...batch.images]); // prettier-ignore
    assert.equal(result.images, 16);
    const losses = seen.parts.map(({ part }) => part.loss);
    assert.ok(Math.abs(result.loss - losses.reduce((a, b) => a + b) / 4) < 1e-12);
    assert.ok(new Set(result.paths.map(pathKey)).size > 1);
  });

  it('finds every path the best-matching teacher of the board, by definition', () => {
    const { seen, next, state } = step({}, 21);
    const lessons = seen.parts.map(({ path, batch: share }) => wanted(path, share, state.meta));
    assert.equal(next.tally.lessons, 4);
    const sum = (of: 'rho' | 'kd') => lessons.reduce((total, lesson) => total + lesson[of], 0);
    assert.ok(Math.abs(next.tally.rho - sum('rho')) < 1e-5, `${next.tally.rho}, ${sum('rho')}`);
    assert.ok(Math.abs(next.tally.kd - sum('kd')) < 1e-4, `${next.tally.kd}, ${sum('kd')}`);
    const taught = new Map<string, number>();
    for (const { teacher } of lessons) {
      taught.set(pathKey(teacher), 1 + (taught.get(pathKey(teacher)) ?? 0));
    }
    assert.deepEqual(
      new Map(next.tally.teachers.map((each) => [pathKey(each.path), each.lessons])),
      taught,
    );
    assert.equal(next.meta, state.meta, 'and teaches phi nothing');
  });

  it('lets the first of them teach the meta network every so many steps', () => {
    const { seen, next, state } = step({}, 30);
    const [{ path: student, batch: share }] = seen.parts as [Recorded['parts'][number]];
    const { teacher: path, rho } = wanted(student, share, state.meta);
    const teacher = { entry: entries.find((entry) => isSamePath(entry.path, path))!, rho };
    const { board, meta } = tinyHeldOut;
    const probe = { ...board, count: 2, images: board.images.slice(0, 384), labels: board.labels.slice(0, 2) }; // prettier-ignore
    const pair = { student, teacher, probe, training: share, validation: meta(0, 8) };
    const rates = { xi: 0.05, metaLr: 0.05, labelSmoothing: 0.1 };
    const learned = metaStep(untrained, state.meta, pair, rates);
    assert.deepEqual(next.meta, learned);
    assert.notDeepEqual(learned.weight, state.meta.weight);
    assert.equal(next.activity.metaSteps, 1);
  });

  it('takes the best or any path of the board as a teacher where the config says so', () => {
    const best = step({ matching: 'best' }, 30);
    assert.deepEqual(best.next.tally.teachers[0]!.path, [2, 1, 2]);
    assert.equal(best.next.tally.rho, 2, 'one half for each');
    assert.equal(best.next.meta, best.state.meta, 'and no meta step');
    const teachers = new Set<string>();
    for (let at = 21; at < 30; at++) {
      const { next, state } = step({ matching: 'random' }, at);
      assert.equal(next.tally.rho, 2);
      assert.equal(next.meta, state.meta);
      for (const { path } of next.tally.teachers) teachers.add(pathKey(path));
    }
    assert.equal(teachers.size, 3);
  });

  it('measures nothing in it, but in rounds, which keep within a tenth of the training', () => {
    const { algorithm } = tinySearch(cream, { boardSize: 2 });
    let own = algorithm.initialState();
    const images: number[] = [];
    for (let at = 0; at < 110; at++) {
      const inner = tinyLearner(supernet);
      const { learner, seen } = watched(inner);
      const batch = tinyBatch(16, 'training', at % 8);
      const epoch = Math.floor(at / 20);
      own = algorithm.step(own, { step: at, epoch, batch, heldOut: tinyHeldOut, learner }).next!;
      inner.dispose();
      images.push(seen.measured.reduce((sum, each) => sum + each.images, 0));
    }
    // The board opens at step 20; a round of at most 4 paths on 32 + 2 images is paid in 29 steps.
    const rounds = images.flatMap((count, at) => (count > 0 ? [at] : []));
    assert.deepEqual(rounds, [20, 49, 78, 107]);
    assert.equal(images[20], 2 * 34, 'applicants alone');
    assert.equal(images[49], 4 * 34);
    for (const at of rounds) assert.ok(images[at]! <= 0.1 * 3 * 16 * 29);
    const whole = images.reduce((sum, count) => sum + count);
    assert.ok(whole <= 0.1 * 3 * 16 * 110, String(whole));
  });
});
