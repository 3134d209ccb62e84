/** `nnictl stop` and `nnictl resume` in the middle of a search. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemTimers } from '../../src/cli/system.ts';
import { followExperiment, type Outcome } from '../../src/nni/follow.ts';
import type { Manager, Metric } from '../../src/nni/manager.ts';
import type { SearchResult } from '../../src/generated/result.ts';
import { manifestFiles, readManifest } from '../../src/run-folder/checkpoint/store.ts';
import { type StartedExperiment, startExperiment, writeTinySearch } from './support.ts';

const EPOCHS = 60;

/** A search that is far from its end when nnictl, which takes seconds, has stopped it. */
const CHANGES = { epochs: EPOCHS, imagesPerEpoch: 480, checkpoint: { steps: 20 } };
const SEED = 7;

/** Reports before the interruption: few, for nnictl needs seconds to stop the search. */
const REPORTS_BEFORE = 1;

/** What the same search finds when nobody stops it. */
async function undisturbedResult(): Promise<SearchResult> {
  const { folder, config } = await writeTinySearch({ ...CHANGES, seed: SEED });
  try {
    const args = ['dist/cli/main.js', 'search', '--config', config, '--json'];
    const output = ['--output', join(folder, 'result')];
    const run = spawnSync(process.execPath, [...args, ...output], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    return JSON.parse(run.stdout) as SearchResult;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function waitForReports(manager: Manager): Promise<void> {
  while ((await manager.metrics()).length < REPORTS_BEFORE) {
    const [trial] = await manager.trials();
    assert.notEqual(trial?.status, 'FAILED');
    await sleep(100);
  }
}

describe('nnictl stop and nnictl resume in the middle of a search', { timeout: 600_000 }, () => {
  let experiment: StartedExperiment | undefined;
  let outcome: Outcome;
  let metrics: readonly Metric[];
  let log: string;
  /** Steps and reports of the newest checkpoint when nothing ran. */
  let saved: { readonly step: number; readonly reports: number };
  before(async () => {
    experiment = await startExperiment({
      trials: 1,
      searchSpace: { seed: { _type: 'choice', _value: [SEED] } },
      changes: CHANGES,
    });
    await waitForReports(experiment.manager);
    const [trial] = await experiment.manager.trials();
    await experiment.interrupt();
    const [newest] = await manifestFiles(trial!.folder);
    const { state } = await readManifest(newest!);
    saved = { step: state.step, reports: state.reports.length };
    const { manager } = await experiment.resume();
    outcome = await followExperiment(manager, {
      print: () => undefined,
      pollMs: 500,
      timers: systemTimers,
    });
    metrics = await manager.metrics();
    log = readFileSync(join(trial!.folder, 'trial.log'), 'utf8');
  });
  after(() => experiment?.stop());

  it('stops the search in its middle, with what it has done on the disk', () => {
    assert.ok(saved.reports >= REPORTS_BEFORE && saved.reports < EPOCHS, `${saved.reports} epochs`);
  });

  it('goes on from the step of the newest checkpoint and succeeds', () => {
    assert.equal(outcome.status, 'DONE', outcome.errors.join());
    assert.deepEqual(
      outcome.trials.map(({ status }) => status),
      ['SUCCEEDED'],
      log,
    );
    assert.ok(log.includes(`goes on from step ${saved.step} of `), log);
  });

  it('NNI has each sequence once, without a gap, and one final report', () => {
    const expected = Array.from({ length: EPOCHS }, (_, sequence) => ['PERIODICAL', sequence]);
    assert.deepEqual(
      metrics.map(({ type, sequence }) => [type, sequence]),
      [...expected, ['FINAL', 0]],
    );
  });

  it('ends with the answer of a search that nobody stopped', async () => {
    const file = join(outcome.trials[0]!.folder, 'result.json');
    const resumed = JSON.parse(readFileSync(file, 'utf8')) as SearchResult;
    const undisturbed = await undisturbedResult();
    const { best, board, activity, confirmation, verdict, baselines, testAccuracy } = resumed;
    assert.deepEqual(
      { best, board, activity, confirmation, verdict, baselines, testAccuracy },
      {
        best: undisturbed.best,
        board: undisturbed.board,
        activity: undisturbed.activity,
        confirmation: undisturbed.confirmation,
        verdict: undisturbed.verdict,
        baselines: undisturbed.baselines,
        testAccuracy: undisturbed.testAccuracy,
      },
    );
    assert.equal(metrics.at(-1)?.values['default'], undisturbed.confirmation.accuracy);
  });
});
