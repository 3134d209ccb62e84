import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { cream } from '../../src/algorithms/cream/cream.ts';
import { fairnas } from '../../src/algorithms/fairnas/fairnas.ts';
import { spos } from '../../src/algorithms/spos/spos.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { train, type TrainingContext } from '../../src/training/loop.ts';
import { takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import {
  tinyContext,
  tinyMacs,
  tinySearch,
  tinySupernet,
  type TinySearch,
  type TinyChanges,
} from '../support/tiny.ts';

let engine: Engine;

before(async () => {
  engine = await nativeEngine();
});

/** A search from its start to its end; its weights are gone afterwards. */
async function run<Own>(search: TinySearch<Own>, changes: Partial<TrainingContext<Own>> = {}) {
  const { algorithm, plan } = search;
  const supernet = tinySupernet(engine, plan.seed);
  const context = tinyContext(supernet, search, changes);
  try {
    const state = await train(initialState(supernet, algorithm.initialState()), context);
    return { state, context, snapshot: structuredClone(takeSnapshot(state, search)) };
  } finally {
    supernet.dispose();
  }
}

const SHORT: TinyChanges = { epochs: 2, imagesPerEpoch: 192 };

describe('a training', () => {
  it('repeats bit for bit with the same seed and differs with another', async () => {
    const first = await run(tinySearch(cream, SHORT));
    const second = await run(tinySearch(cream, SHORT));
    assert.ok(first.state.own.activity.lessons > 0);
    assert.deepEqual(second.snapshot, first.snapshot);
    assert.deepEqual(second.state.ranking, first.state.ranking);
    const other = await run(tinySearch(cream, { ...SHORT, seed: 2 }));
    assert.notDeepEqual(other.snapshot, first.snapshot);
  });

  it('emits its steps in order, and each epoch after them', async () => {
    const { context } = await run(tinySearch(spos, { epochs: 2, imagesPerEpoch: 48 }));
    const seen = context.events.map((event) =>
      event.kind === 'step' ? event.state.step : `${event.kind} ${'epoch' in event && event.epoch}`,
    );
    assert.deepEqual(seen, [1, 2, 3, 'epoch 0', 4, 5, 6, 'epoch 1']);
  });

  it('tells of the epochs that are done first where it goes on, as a repetition', async () => {
    const search = tinySearch(spos, { epochs: 2, imagesPerEpoch: 48 });
    const { state } = await run(search);
    const supernet = tinySupernet(engine);
    const context = tinyContext(supernet, search);
    await train({ ...state, supernet }, context);
    supernet.dispose();
    assert.deepEqual(
      context.events.map((event) => event.kind === 'epoch' && [event.epoch, event.isRepeated]),
      [[0, true], [1, true]], // prettier-ignore
    );
    assert.deepEqual(context.reports, state.reports);
  });

  it('has the algorithm tell of each new epoch, and of none that is told again', async () => {
    const search = tinySearch(spos, { epochs: 2, imagesPerEpoch: 48 });
    const algorithm = {
      ...search.algorithm,
      tell: (_: unknown, ranking: readonly unknown[]) => `${ranking.length} paths`,
    };
    const telling = { ...search, algorithm };
    const { state, context } = await run(telling);
    const notesOf = ({ events }: typeof context) =>
      events.flatMap((event) => (event.kind === 'epoch' ? event.note : []));
    const scored = new Set(notesOf(context));
    assert.equal(notesOf(context).length, 2);
    for (const note of scored) assert.match(note, /^\d+ paths$/);
    const supernet = tinySupernet(engine);
    const again = tinyContext(supernet, telling);
    await train({ ...state, supernet }, again);
    supernet.dispose();
    assert.deepEqual(notesOf(again), ['', '']);
  });

  it('saves between any two pieces of work: steps, paths of a ranking, reports', async () => {
    const steps: number[] = [];
    const search = tinySearch(spos, { epochs: 1, imagesPerEpoch: 32 });
    await run(search, {
      keeper: {
        checkpoint: (state) => Promise.resolve(void steps.push(state.step)),
        rollBack: () => Promise.reject(new Error('nothing was saved')),
      },
    });
    assert.deepEqual(steps.slice(0, 2), [1, 2]);
    // Ten stand-ins on two calibration and three ranking batches, those drawn twice once; the report.
    assert.ok(steps.length > 2 + 5 * 5 && steps.length <= 2 + 10 * 5 + 1, String(steps.length));
    assert.equal((steps.length - 3) % 5, 0);
  });

  it('ends with the error of a pause that throws, at that step', async () => {
    const stop = new Error('SIGTERM');
    let pauses = 0;
    let steps = 0;
    const changes: Partial<TrainingContext<unknown>> = {
      keeper: {
        checkpoint: () => (++pauses === 3 ? Promise.reject(stop) : Promise.resolve()),
        rollBack: () => Promise.reject(new Error('nothing was saved')),
      },
      emit: ({ kind }) => void (steps += Number(kind === 'step')),
    };
    await assert.rejects(run<unknown>(tinySearch<unknown>(cream), changes), stop);
    assert.equal(steps, 3);
  });

  it('counts an image once for each path in its throughput', async () => {
    const rates = [];
    for (const search of [tinySearch(spos, SHORT), tinySearch(fairnas, SHORT)]) {
      const { state } = await run(search, { clock: counter() });
      rates.push(state.reports[0]!['imagesPerSecond']!);
    }
    // The clock ticks twice a step: one millisecond.
    assert.deepEqual(rates, [1000 * 16, 3 * 1000 * 16]);
  });

  it('has a learning rate that falls in a straight line, told at the end of each epoch', async () => {
    const { state } = await run(tinySearch(spos, { epochs: 4, imagesPerEpoch: 32 }));
    assert.deepEqual(
      state.reports.map((report) => report['lr']!.toFixed(6)),
      [0.75, 0.5, 0.25, 0].map((share) => (0.05 * share).toFixed(6)),
    );
  });

  it('ranks random paths of the budget where the algorithm has no candidates, and reports their mean', async () => {
    const [minMacs, maxMacs] = [tinyMacs([0, 0, 1]), tinyMacs([1, 1, 1])];
    const { state } = await run(tinySearch(spos, { ...SHORT, minMacs, maxMacs }));
    assert.equal(state.ranking.length, 10);
    for (const { path } of state.ranking) {
      assert.ok(tinyMacs(path) >= minMacs && tinyMacs(path) <= maxMacs);
    }
    const mean = state.ranking.reduce((sum, { accuracy }) => sum + accuracy, 0) / 10;
    assert.equal(state.reports.at(-1)!.default, mean);
  });
});

function counter(): () => number {
  let time = 0;
  return () => time++;
}
