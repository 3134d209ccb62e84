/** What every algorithm has to do: its line in the registry is what tests it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import resultSchema from '../../schemas/result.schema.json' with { type: 'json' };
import configSchema from '../../schemas/trial-config.schema.json' with { type: 'json' };
import type {
  AlgorithmDefinition,
  Learner,
  Score,
  StepResult,
} from '../../src/algorithms/algorithm.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { isPathOf, pathKey } from '../../src/searchspace/path.ts';
import { Scorer } from '../../src/selection/scorer.ts';
import type { Supernet } from '../../src/supernet/supernet.ts';
import { train, type TrainingContext } from '../../src/training/loop.ts';
import { COMMON_METRICS } from '../../src/training/report.ts';
import { restoreSnapshot, takeSnapshot, type Snapshot } from '../../src/training/snapshot.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { nativeEngine } from '../support/engine.ts';
import {
  spoiled,
  tinyBatch,
  tinyContext,
  tinyHeldOut,
  tinyLearner,
  tinySearch,
  tinySupernet,
  type TinyChanges,
} from '../support/tiny.ts';

/** Two epochs of six steps in which an algorithm that has warm-ups and intervals is all at work. */
export interface ShortRun {
  readonly changes: TinyChanges;
  /** Whether the algorithm has paths of its own when such a run is over. */
  readonly hasCandidates: boolean;
}

const RUN: TinyChanges = { epochs: 2, imagesPerEpoch: 96, rankingImages: 32 };

type Scores = Map<string, Omit<Score, 'path'>>;

/** What a killed process leaves. */
interface Left {
  readonly snapshot: Snapshot;
  readonly scores: Scores;
  /** Whether it is the state that the piece before it left. */
  readonly isSame: boolean;
}

const rollBack = (): Promise<never> => Promise.reject(new Error('nothing was saved'));

/** Registers the tests. @param definition - As it stands in the registry. */
export function describeAlgorithm(
  name: string,
  definition: AlgorithmDefinition,
  { changes, hasCandidates }: ShortRun,
): void {
  const settings = { ...RUN, ...changes };
  const search = tinySearch(definition, settings);
  const { algorithm, plan } = search;

  let engine: Engine;
  let supernet: Supernet;

  /** Runs to its end on a supernet of its own; its weights are gone afterwards. */
  async function run(
    changed: Partial<TrainingContext<unknown>> = {},
    from: Snapshot | null = null,
    cache: Scores = new Map(),
    of = search,
  ): Promise<Snapshot> {
    const net = tinySupernet(engine, of.plan.seed);
    try {
      const first = initialState(net, of.algorithm.initialState());
      const start = from === null ? first : restoreSnapshot(from, { ...of, supernet: net });
      const scorer = new Scorer({
        supernet: net,
        heldOut: tinyHeldOut,
        cache,
        scoreBy: 'accuracy',
        weightOf: of.plan.optimizer.weightOf,
      });
      const state = await train(
        start,
        tinyContext(net, of, { scorer, clock: () => 0, ...changed }),
      );
      return asFile(takeSnapshot(state, of));
    } finally {
      net.dispose();
    }
  }

  /** What a process that was killed after each piece of work would have left, in order. */
  async function leftovers(): Promise<Left[]> {
    const left: Left[] = [];
    const scores: Scores = new Map();
    let newest: SearchState | null = null;
    const checkpoint = (state: SearchState): Promise<void> => {
      const snapshot = asFile(takeSnapshot(state, search));
      left.push({ snapshot, scores: new Map(scores), isSame: state === newest });
      newest = state;
      return Promise.resolve();
    };
    await run({ keeper: { checkpoint, rollBack } }, null, scores);
    return left;
  }

  /** A state from the middle of the run, in `supernet`, and what the next step would work on. */
  function middle(): SearchState {
    return restoreSnapshot(late, { supernet, algorithm, plan });
  }

  const newLearner = () => tinyLearner(supernet, { optimizer: plan.optimizer });

  function step(
    { own, step: at }: SearchState,
    learner: Learner,
    batch = tinyBatch(plan.batchSize, 'training', at),
  ): StepResult<unknown> {
    const epoch = Math.floor(at / plan.stepsPerEpoch);
    return algorithm.step(own, { step: at, epoch, batch, heldOut: tinyHeldOut, learner });
  }

  let whole: Snapshot;
  let late: Snapshot;

  describe(`the algorithm "${name}"`, () => {
    before(async () => {
      engine = await nativeEngine();
      supernet = tinySupernet(engine, plan.seed);
      whole = await run();
      // Ten steps done, the last two to come.
      late = await stepsDone(10);
    });
    after(() => {
      supernet.dispose();
    });

    async function stepsDone(count: number): Promise<Snapshot> {
      let taken: Snapshot | undefined;
      await run({
        emit: (event) => {
          if (event.kind === 'step' && event.state.step === count) {
            taken = asFile(takeSnapshot(event.state, search));
          }
        },
      });
      return taken!;
    }

    it('ends with the same bits of everything for the same seed, and with others for another', async () => {
      assert.deepEqual(await run(), whole);
      const other = await run(
        {},
        null,
        new Map(),
        tinySearch(definition, { ...settings, seed: 2 }),
      );
      assert.notDeepEqual(weightsOf(other), weightsOf(whole));
      assert.notDeepEqual(other.values.reports, whole.values.reports);
    });

    it('ends with the same bits when it was killed after any step or report, and within rankings', async () => {
      const left = await leftovers();
      const states = left.filter(({ isSame }) => !isSame);
      assert.equal(states.length, plan.totalSteps + plan.epochs);
      // A ranking changes no state, but scores that were taken before the kill are there again.
      const ranking = left.filter(({ isSame }) => isSame);
      const some = ranking.filter((_, i) => i % Math.ceil(ranking.length / 8) === 0);
      assert.ok(some.length >= 4 && some.some(({ scores }) => scores.size > 0));
      for (const { snapshot, scores } of [...states, ...some]) {
        const { step: at, reports } = snapshot.values;
        const place = `after ${at} steps, ${reports.length} reports, ${scores.size} scores`;
        assert.deepEqual(await run({}, snapshot, scores), whole, place);
      }
    });

    it('steps the parameters of the paths that it names, all of them, and no others', () => {
      const state = middle();
      const learner = newLearner();
      const numbers = () =>
        new Map(
          supernet.parameters.map((parameter) => [
            parameter,
            [parameter.value, ...parameter.slots].map((tensor) => engine.read(tensor).slice()),
          ]),
        );
      const earlier = numbers();
      const { next, paths } = step(state, learner);
      learner.dispose();
      assert.notEqual(next, null);
      assert.ok(paths.length > 0 && paths.every((path) => isPathOf(supernet.space, path)));
      const trained = new Set(paths.flatMap((path) => supernet.parametersOf(path)));
      for (const [parameter, now] of numbers()) {
        if (trained.has(parameter))
          assert.notDeepEqual(now, earlier.get(parameter), parameter.name);
        else assert.deepEqual(now, earlier.get(parameter), parameter.name);
      }
    });

    it('changes nothing by a batch that is no numbers, and says so', () => {
      const state = middle();
      const before = asFile(takeSnapshot(state, search));
      const tensors = engine.tensorCount();
      const learner = newLearner();
      const { next } = step(state, learner, spoiled(tinyBatch(plan.batchSize, 'training', 10)));
      learner.dispose();
      assert.equal(next, null);
      assert.deepEqual(asFile(takeSnapshot(state, search)), before);
      assert.equal(engine.tensorCount(), tensors);
    });

    it('treats its state as a value: a step and the end of an epoch leave it as it was', () => {
      const state = middle();
      const before = structuredClone(algorithm.save(state.own));
      const learner = newLearner();
      const { next } = step(state, learner);
      learner.dispose();
      algorithm.endEpoch(next);
      algorithm.metrics(next, [anyScore]);
      algorithm.tell(next, [anyScore]);
      assert.deepEqual(algorithm.save(state.own), before);
    });

    it('leaks no tensor over its steps', () => {
      let state = middle();
      const beside = engine.tensorCount() - supernet.tensorCount();
      for (let i = 0; i < 6; i++) {
        const learner = newLearner();
        const { next } = step(state, learner);
        learner.dispose();
        assert.notEqual(next, null);
        state = { ...state, own: next, step: state.step + 1 };
        assert.equal(engine.tensorCount() - supernet.tensorCount(), beside, `step ${i}`);
      }
    });

    it('reports exactly the metrics that it declares, all finite, before anything happened too', () => {
      const declared = definition.metrics.map(({ key }) => key).sort();
      const states = [algorithm.initialState(), middle().own];
      for (const own of [...states, ...states.map((each) => algorithm.endEpoch(each))]) {
        const metrics = algorithm.metrics(own, [anyScore]);
        assert.deepEqual(Object.keys(metrics).sort(), declared);
        assert.ok(Object.values(metrics).every(Number.isFinite), JSON.stringify(metrics));
      }
      const common = COMMON_METRICS.map(({ key }) => key);
      for (const report of whole.values.reports) {
        assert.deepEqual(Object.keys(report).sort(), [...common, ...declared].sort());
        assert.ok(Object.values(report).every(Number.isFinite), JSON.stringify(report));
      }
    });

    it('tells of an epoch in one line or not at all, before anything happened too', () => {
      for (const own of [algorithm.initialState(), middle().own]) {
        assert.match(algorithm.tell(own, [anyScore]), /^[^\n]*$/);
      }
    });

    it('declares metrics that nobody else reports, each with a unit and a meaning', () => {
      const keys = [...COMMON_METRICS, ...definition.metrics].map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length, keys.join());
      for (const { unit, meaning } of definition.metrics) {
        assert.ok(unit.length > 0);
        assert.match(meaning, /^[A-Z].*\.$/);
      }
    });

    it('gives its state back from JSON and arrays, and takes no more room than it announces', () => {
      for (const own of [algorithm.initialState(), middle().own]) {
        const saved = algorithm.save(own);
        const read = asFile(saved);
        assert.deepEqual(algorithm.save(algorithm.restore(read)), saved);
        const numbers = saved.arrays.reduce((sum, { values }) => sum + values.length, 0);
        assert.ok(numbers <= algorithm.savedNumbers, `${numbers} of ${algorithm.savedNumbers}`);
      }
    });

    it('refuses a state that is not its own', () => {
      const saved = asFile(algorithm.save(middle().own));
      const stranger = { name: 'elsewhere', shape: [1], values: new Float32Array(1) };
      const wrong = [
        { ...saved, values: { ...saved.values, elsewhere: 1 } },
        { ...saved, arrays: [...saved.arrays, stranger] },
      ];
      for (const each of wrong) {
        assert.throws(() => algorithm.restore(each), { code: 'CHECKPOINT_INVALID' });
      }
    });

    it('thinks well of paths of the space only, each once', () => {
      assert.deepEqual(algorithm.candidates(algorithm.initialState()), []);
      const candidates = algorithm.candidates(middle().own);
      assert.equal(candidates.length > 0, hasCandidates);
      assert.ok(candidates.every((path) => isPathOf(supernet.space, path)));
      assert.equal(new Set(candidates.map(pathKey)).size, candidates.length);
    });

    it('describes a run in plain JSON whose numbers are finite', () => {
      for (const own of [algorithm.initialState(), middle().own]) {
        const ranking = algorithm.candidates(own).map((path) => ({ ...anyScore, path }));
        const report = algorithm.describe(own, ranking);
        assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
        assert.deepEqual(report.board.map(({ path }) => path), ranking.map(({ path }) => path)); // prettier-ignore
        const numbers = [...Object.values(report.activity), ...report.board.flatMap(({ facts }) => Object.values(facts))]; // prettier-ignore
        assert.ok(numbers.every((number) => number === null || Number.isFinite(number)));
        const known = Object.keys(resultSchema.properties.board.items.properties);
        for (const fact of report.board.flatMap(({ facts }) => Object.keys(facts))) {
          assert.ok(known.includes(fact), `a result has no field ${fact}`);
        }
        assert.equal(report.summary.includes('\n'), false);
      }
    });

    it('reads config keys that the schema has, and tells its settings as plain JSON', () => {
      const known = Object.keys(configSchema.properties);
      for (const key of definition.configKeys) assert.ok(known.includes(key), key);
      for (const key of Object.keys(algorithm.settings)) assert.ok(known.includes(key), key);
      assert.deepEqual(JSON.parse(JSON.stringify(algorithm.settings)), algorithm.settings);
      assert.match(definition.paper, /\(.+ \d{4}\)$/);
    });
  });
}

const anyScore: Score = { path: [0, 1, 2], accuracy: 0.5, crossEntropy: 1 };

/** As a file gives it back: its values through JSON, its arrays copied. */
function asFile<T extends { values: object; arrays: readonly unknown[] }>({
  values,
  arrays,
}: T): T {
  const read = JSON.parse(JSON.stringify(values)) as T['values'];
  return structuredClone({ values: read, arrays }) as T;
}

function weightsOf({ arrays }: Snapshot) {
  return arrays.filter(({ name }) => name.startsWith('weight/'));
}
