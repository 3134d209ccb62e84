import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Learner, PathGradients } from '../../../src/algorithms/algorithm.ts';
import { cream } from '../../../src/algorithms/cream/cream.ts';
import { metaStep } from '../../../src/algorithms/cream/meta-step.ts';
import type { CreamState } from '../../../src/algorithms/cream/state.ts';
import type { Batch } from '../../../src/data/stream/batch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { isSamePath, pathKey } from '../../../src/searchspace/path.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import {
  tinyBatch,
  tinyEntry,
  tinyHeldOut,
  tinyLearner,
  tinySearch,
  tinySupernet,
  type TinyChanges,
} from '../../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
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
    const { algorithm } = tinySearch(cream, { pathsPerStep: 4, ...changes });
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
    const { board } = tinyHeldOut;
    const probe = { ...board, count: 2, images: board.images.slice(0, 384), labels: board.labels.slice(0, 2) }; // prettier-ignore
    const pair = { student, teacher, probe, training: share, validation: tinyHeldOut.meta(0, 8) };
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
    const { algorithm } = tinySearch(cream, { boardSize: 2, pathsPerStep: 4 });
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
