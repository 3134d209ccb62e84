import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SearchResult } from '../../src/generated/result.ts';
import { SCORES_FILE } from '../../src/run-folder/scores.ts';
import { changedConfig, writeTinySearch, type TinySearch } from '../e2e/support.ts';
import { runRequest, type Ran, type RequestChanges } from '../support/task.ts';

const SHORT = { epochs: 2, warmupEpochs: 0, baselinePaths: 3 };

let tiny: TinySearch;
let runs = 0;

before(async () => {
  tiny = await writeTinySearch(SHORT);
});
after(() => {
  rmSync(tiny.folder, { recursive: true });
});

function configOf(changes: object): string {
  return changedConfig(tiny, `config-${runs++}`, { ...SHORT, ...changes });
}

function newFolder(): string {
  return join(tiny.folder, `out-${runs++}`);
}

function resultOf({ result }: Ran): SearchResult {
  assert.equal(result.task, 'search');
  return result.result;
}

/** All but what the clock decides. */
function timeless({ costShares: _, ...result }: SearchResult): object {
  return result;
}

async function searchIn(
  output: string,
  config: string,
  changes: RequestChanges = {},
): Promise<SearchResult> {
  return resultOf(await runRequest(config, output, changes));
}

describe('a search', { timeout: 300_000 }, () => {
  for (const algorithm of [
    'cream',
    'cream-official',
    'spos',
    'fairnas',
    'sandwich',
    'random',
  ] as const) {
    for (const strategy of ['board', 'random', 'evolution'] as const) {
      it(`trained by ${algorithm} gives its answer by ${strategy}`, async () => {
        const scoreBy = strategy === 'random' ? 'accuracy' : 'crossEntropy';
        const config = configOf({ algorithm, scoreBy, selection: { strategy, paths: 5 } });
        const ran = await runRequest(config, newFolder());
        const { best, selection, ranking, ...result } = resultOf(ran);
        assert.equal(result.algorithm, algorithm);
        assert.equal(selection.strategy, strategy);
        const [first] = ranking;
        assert.deepEqual(
          [first!.path, first!.score, first!.crossEntropy],
          [best.path, best.score, best.crossEntropy],
        );
        const wanted =
          scoreBy === 'accuracy'
            ? best.score === Math.max(...ranking.map(({ score }) => score))
            : best.crossEntropy === Math.min(...ranking.map((row) => row.crossEntropy));
        assert.ok(wanted, `the best by ${scoreBy}`);
        assert.equal(selection.scored, new Set(ranking.map(({ path }) => path)).size);
        const answer = ran.events.find(({ kind }) => kind === 'answer')!;
        assert.ok(answer.kind === 'answer');
        const epochs = ran.events.flatMap((event) => (event.kind === 'epoch' ? event.metrics : []));
        assert.equal(epochs.length, 2);
        for (const metrics of epochs) {
          assert.deepEqual(Object.keys(metrics), Object.keys(answer.metrics));
        }
        const { accuracy } = result.confirmation;
        assert.deepEqual([answer.metrics.default, answer.metrics['bestMacs']], [accuracy, best.macs]); // prettier-ignore
      });
    }
  }

  it('by Cream and its board ends with the metrics of its last epoch', async () => {
    const config = configOf({ selection: { strategy: 'board' } });
    const { events } = await runRequest(config, newFolder());
    const metrics = events.flatMap((event) => ('metrics' in event ? event.metrics : []));
    assert.equal(metrics.length, 3);
    assert.deepEqual(metrics[2], metrics[1]);
  });

  it('takes the selection of its algorithm where the config names none', async () => {
    const strategies = [];
    for (const algorithm of ['cream', 'cream-official', 'spos', 'fairnas', 'sandwich', 'random']) {
      const result = await searchIn(newFolder(), configOf({ algorithm }));
      strategies.push(result.selection.strategy);
    }
    assert.deepEqual(strategies, [
      'mainEffects',
      'board',
      'mainEffects',
      'mainEffects',
      'mainEffects',
      'random',
    ]);
  });

  it('goes on within its selection, and scores nothing twice that was scored before', async () => {
    const config = configOf({ algorithm: 'spos', selection: { strategy: 'random', paths: 8 } });
    const whole = newFolder();
    const undisturbed = await searchIn(whole, config);
    const scoresIn = (folder: string): string => readFileSync(join(folder, SCORES_FILE), 'utf8');
    const interrupted = newFolder();
    const onEvent: RequestChanges['onEvent'] = (event, end) => {
      if (event.kind === 'stopped') end(); // training is over, selection begins
    };
    await assert.rejects(runRequest(config, interrupted, { onEvent }), { name: 'AbortError' });
    assert.ok(scoresIn(whole).startsWith(scoresIn(interrupted)));
    assert.deepEqual(timeless(await searchIn(interrupted, config)), timeless(undisturbed));
    assert.equal(scoresIn(interrupted), scoresIn(whole));
  });

  it('that begins anew in a folder takes no score of the search that it throws away', async () => {
    const reused = newFolder();
    const selection = { strategy: 'random', paths: 8 };
    await searchIn(reused, configOf({ algorithm: 'spos', selection, seed: 1 }));
    const other = configOf({ algorithm: 'spos', selection, seed: 2 });
    const fresh = await searchIn(newFolder(), other);
    const again = await searchIn(reused, other, { present: 'throw-away' });
    assert.deepEqual(timeless(again), timeless(fresh));
  });

  it('whose checkpoints are gone takes no score of what they held, under NNI either', async () => {
    const selection = { strategy: 'random', paths: 8 };
    const other = configOf({ algorithm: 'spos', selection, seed: 2 });
    const fresh = await searchIn(newFolder(), other);
    for (const present of ['refuse-result', 'complete'] as const) {
      const reused = newFolder();
      await searchIn(reused, configOf({ algorithm: 'spos', selection, seed: 1 }));
      for (const name of ['checkpoints', 'result.json']) rmSync(join(reused, name), { recursive: true }); // prettier-ignore
      const again = await searchIn(reused, other, { present });
      assert.deepEqual(timeless(again), timeless(fresh), present);
    }
  });
});
