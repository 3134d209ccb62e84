import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { creamOfficial } from '../../../src/algorithms/cream-official/cream-official.ts';
import { lessonOf } from '../../../src/algorithms/cream-official/lesson.ts';
import {
  leakGradient,
  stepMetaNetwork,
} from '../../../src/algorithms/cream-official/meta-network.ts';
import type { OfficialState } from '../../../src/algorithms/cream-official/state.ts';
import { differenceOf } from '../../../src/algorithms/cream-official/teacher.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { mean } from '../../../src/foundation/statistics.ts';
import type { Path } from '../../../src/searchspace/space.ts';
import { lossesOf } from '../../../src/supernet/classification.ts';
import { predict } from '../../../src/supernet/inference.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { train } from '../../../src/training/loop.ts';
import { initialState, type SearchState } from '../../../src/training/state.ts';
import { nativeEngine } from '../../support/engine.ts';
import { idleLearner } from '../../support/idle-learner.ts';
import {
  spoiled,
  tinyBatch,
  tinyContext,
  tinyHeldOut,
  tinyLearner,
  tinySearch,
  tinySupernet,
} from '../../support/tiny.ts';
import { boardOf, officialEntry } from './support.ts';

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

describe('a search by cream-official', () => {
  const changes = { rankingImages: 32, metaInterval: 15, metaLr: 0.01 };
  const search = tinySearch(creamOfficial, changes);
  const states: SearchState<OfficialState>[] = [];
  let end: SearchState<OfficialState>;

  before(async () => {
    const net = tinySupernet(engine);
    const context = tinyContext(net, search, {
      emit: (event) => {
        if (event.kind === 'step') states.push(event.state as SearchState<OfficialState>);
      },
    });
    end = await train(initialState(net, search.algorithm.initialState()), context);
  });
  after(() => {
    end.supernet.dispose();
  });

  it('opens the board after the warm-up, and keeps it by the accuracy of single batches', () => {
    assert.equal(states.length, 60);
    assert.ok(states.slice(0, 20).every(({ own }) => own.board.entries.length === 0));
    assert.ok(states.slice(20).every(({ own }) => own.board.entries.length > 0));
    const accuracies = end.own.board.entries.map(({ batchAccuracy }) => batchAccuracy);
    assert.deepEqual(accuracies, accuracies.toSorted((a, b) => b - a)); // prettier-ignore
    assert.ok(accuracies.every((accuracy) => Number.isInteger(16 * accuracy)));
  });

  it('never changes what it has stored of a path, and never measures it again', () => {
    const met = new Map<number, string>();
    for (const { own } of states) {
      for (const entry of own.board.entries) {
        const text = JSON.stringify({
          ...entry,
          probe: [[...entry.probe.images], [...entry.probe.probabilities]],
        });
        assert.equal(met.get(entry.step) ?? text, text);
        met.set(entry.step, text);
      }
    }
    assert.ok(met.size > 4 && met.size === end.own.activity.admissions);
    assert.equal(end.time.evaluationMs, 0);
  });

  it('trains the meta network at every step that distils, and at no other', () => {
    states.slice(1).forEach(({ own }, i) => {
      const previous = states[i]!.own;
      const isTaught = own.activity.distilledSteps > previous.activity.distilledSteps;
      const isMoved = own.meta.weight.some((w, k) => w !== previous.meta.weight[k]);
      assert.equal(isMoved, isTaught, `step ${i + 1}`);
      assert.equal(isTaught, previous.board.entries.length > 0);
    });
    assert.deepEqual([end.own.activity.distilledSteps, end.own.activity.metaSteps], [39, 2]);
  });

  it('answers with the first entry of its board, and ranks nothing else', () => {
    const [first] = end.own.board.entries;
    assert.deepEqual(search.algorithm.candidates(end.own), [first!.path]);
    assert.deepEqual(end.ranking.map(({ path }) => path), [first!.path]); // prettier-ignore
    const { board, activity, summary } = search.algorithm.describe(end.own, end.ranking);
    const facts = { trainBatchTop1: first!.batchAccuracy, epoch: Math.floor(first!.step / 20) };
    assert.deepEqual(board, [{ path: first!.path, facts }]);
    const { rhoSum, distilledSteps } = end.own.activity;
    assert.equal(activity['rhoMean'], rhoSum / distilledSteps);
    assert.ok(activity['phiChange']! > 0);
    assert.match(summary, /the board opened in epoch 2; \d+ admissions, 2 meta updates; phi moved/);
    assert.equal(end.reports.at(-1)!['boardBest'], first!.batchAccuracy);
  });
});

describe('a step of cream-official', () => {
  const board = boardOf(officialEntry([2, 1, 2], 0.75), officialEntry([0, 1, 0], 0.25));
  const batch = tinyBatch(16, 'x', 3);
  const AT = 7;

  /** One step from a board of two paths, without a meta update unless the interval says so. */
  function stepped(metaInterval: number, of = batch) {
    const { algorithm, plan } = tinySearch(creamOfficial, { metaInterval, metaLr: 0.5 });
    const own: OfficialState = { ...algorithm.initialState(), board };
    const learner = tinyLearner(supernet);
    const work = { step: AT, epoch: 2, batch: of, heldOut: tinyHeldOut, learner };
    const result = algorithm.step(own, work);
    learner.dispose();
    return { own, result, rate: 0.5 * (1 - AT / plan.totalSteps) };
  }

  /** The path of that step: the same seed draws it. */
  function pathAt(step: number): Path {
    const { algorithm } = tinySearch(creamOfficial, { metaInterval: 1000 });
    const learner = idleLearner(supernet);
    try {
      algorithm.step(algorithm.initialState(), {
        ...{ step, epoch: 0, batch, heldOut: tinyHeldOut, learner },
      });
    } catch {
      // An idle learner has no outputs; the path was drawn.
    }
    return learner.taken[0]!;
  }

  it('stores the softmax of the teacher, and moves phi along the gradient of the training loss', () => {
    const student = pathAt(AT);
    const phi = tinySearch(creamOfficial).algorithm.initialState().meta;
    const lesson = lessonOf(supernet, phi, { student, board, images: batch.images })!;
    const own = predict(supernet, batch.images, student);
    const kd = -own.reduce((sum, p, i) => sum + lesson.teaching[i]! * Math.log(p), 0) / 16;
    const smooth = own.reduce((sum, p) => sum - Math.log(p), 0) / 48;
    const ce = 0.9 * mean([...lossesOf(own, batch.labels)]) + 0.1 * smooth;
    const difference = differenceOf(supernet, lesson.last, student);
    assert.deepEqual(lesson.last.path, [0, 1, 0]);

    const { result, rate } = stepped(1000);
    const { meta, board: next } = result.next!;
    const entry = next.entries.find(({ step }) => step === AT)!;
    assert.deepEqual(entry.probe.probabilities, lesson.teaching.slice(0, 6));
    assert.ok(entry.probe.probabilities.some((p, i) => Math.abs(p - own[i]!) > 1e-3));

    const wanted = stepMetaNetwork(phi, leakGradient(phi, { kd, ce, difference }), rate);
    assert.ok(Math.abs(wanted.bias - phi.bias) > 1e-3, 'a step that can be measured');
    [meta.bias, ...meta.weight].forEach((p, i) => {
      assert.ok(Math.abs(p - [wanted.bias, ...wanted.weight][i]!) < 1e-6, `${i}`);
    });
  });

  it('draws uniformly whatever the prior says', () => {
    const { algorithm } = tinySearch(creamOfficial, { prior: { identity: 1 } });
    const counts = [0, 0, 0];
    for (let step = 0; step < 300; step++) {
      const learner = idleLearner(supernet);
      const work = { step, epoch: 0, batch, heldOut: tinyHeldOut, learner };
      const { paths } = algorithm.step(algorithm.initialState(), {
        ...work,
        learner: { ...learner, update: () => false },
      });
      for (const candidate of paths[0]!) counts[candidate]!++;
    }
    // 900 draws: three standard errors are 42.
    assert.ok(
      counts.every((count) => Math.abs(count - 300) < 42),
      counts.join(),
    );
  });

  it('takes a meta update on the run’s own count of steps, while there is a board', () => {
    const steps = [7, 6].map((interval) => stepped(interval).result.next!.activity.metaSteps);
    assert.deepEqual(steps, [1, 0]);
  });

  it('changes nothing in a meta update on a batch that is no numbers, and says so', () => {
    const weights = () => supernet.parameters.map(({ value }) => engine.read(value).slice());
    const before = weights();
    assert.equal(stepped(7, spoiled(batch)).result.next, null);
    assert.deepEqual(weights(), before);
  });
});
