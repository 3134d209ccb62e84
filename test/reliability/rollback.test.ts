import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cream } from '../../src/algorithms/cream/cream.ts';
import type { CreamState } from '../../src/algorithms/cream/state.ts';
import type { Batch } from '../../src/data/stream/batch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { train } from '../../src/training/loop.ts';
import { restoreSnapshot, type Snapshot, takeSnapshot } from '../../src/training/snapshot.ts';
import { initialState, type SearchState } from '../../src/training/state.ts';
import { Saver } from '../../src/run-folder/checkpoint/saver.ts';
import { newestCheckpoint } from '../../src/run-folder/checkpoint/store.ts';
import { CHECKPOINT_RUN } from '../support/checkpoint.ts';
import { nativeEngine } from '../support/engine.ts';
import { recordingLogger } from '../support/nni.ts';
import {
  spoiled,
  tinyBatch,
  tinyContext,
  tinyHeldOut,
  tinySearch,
  tinySupernet,
} from '../support/tiny.ts';

/** Three epochs of eight steps; from step 10 on no batch is a number, until the search goes back. */
const search = tinySearch(cream, { imagesPerEpoch: 128 });
const { algorithm, plan } = search;
const BAD_FROM = 10;

let engine: Engine;
let root: string;

before(async () => {
  engine = await nativeEngine();
  root = mkdtempSync(join(tmpdir(), 'nni-cream-rollback-'));
});
after(() => {
  rmSync(root, { recursive: true });
});

interface Ended {
  readonly snapshot: Snapshot;
  readonly warnings: readonly string[];
}

/** One process of a search in a folder: it goes on where the folder says; null when it was killed. */
async function runIn(output: string, killAfter = Infinity): Promise<Ended | null> {
  const supernet = tinySupernet(engine, plan.seed);
  const logger = recordingLogger();
  const found = await newestCheckpoint(output, logger);
  const start = found
    ? restoreSnapshot(found.snapshot, { supernet, algorithm, plan })
    : initialState(supernet, algorithm.initialState());
  const saver = saverOf(output, start, logger);
  if (found === null) await saver.save(start);
  let pieces = 0;
  let hasGoneBack = start.stability.rollbacks > 0;
  const batches = {
    waitedMs: 0,
    next: (step: number) => Promise.resolve(batchOf(step, !hasGoneBack && step >= BAD_FROM)),
  };
  const context = tinyContext(supernet, search, {
    images: { batches, heldOut: tinyHeldOut, skipped: 0 },
    keeper: {
      checkpoint: async (state) => {
        await saver.checkpoint(state);
        if (++pieces === killAfter) throw new Error('killed');
      },
      rollBack: () => {
        hasGoneBack = true;
        return saver.rollBack();
      },
    },
  });
  try {
    const state = await train(start, context);
    return { snapshot: structuredClone(takeSnapshot(state, search)), warnings: logger.lines };
  } catch (error) {
    assert.match(String(error), /killed/);
    return null;
  } finally {
    supernet.dispose();
  }
}

function saverOf(
  output: string,
  start: SearchState<CreamState>,
  logger: ReturnType<typeof recordingLogger>,
): Saver<CreamState> {
  const owner = { supernet: start.supernet, algorithm, plan };
  const { totalSteps, stepsPerEpoch } = plan;
  return new Saver(
    {
      output,
      // Saves come within the row of bad steps too.
      schedule: { steps: 2, minutes: 5 },
      run: { ...CHECKPOINT_RUN, totalSteps, stepsPerEpoch },
      owner,
      clock: () => 0,
      now: () => new Date(0),
      logger,
      signal: new AbortController().signal,
    },
    start,
  );
}

function batchOf(step: number, isBad: boolean): Batch {
  const batch = tinyBatch(plan.batchSize, 'training', step);
  return isBad ? spoiled(batch) : batch;
}

/** All but the clock's readings. */
function numbersOf({ arrays, values }: Snapshot): object {
  const reports = values.reports.map((report) => ({ ...report, imagesPerSecond: 0 }));
  return { arrays, ...values, time: null, tally: null, reports };
}

describe('a search that goes back, with real checkpoints', () => {
  it('goes back to the end of the last epoch, not into the bad row, with the same bits whenever it was killed', async () => {
    const undisturbed = (await runIn(join(root, 'undisturbed')))!;
    assert.match(undisturbed.warnings.join(), /went back to step 8:/);
    assert.equal(undisturbed.snapshot.values.stability.rollbacks, 1);
    assert.equal(undisturbed.snapshot.values.stability.skipped, 6);
    for (const killAfter of [11, 13, 15, 17, 18, 19, 21]) {
      const folder = join(root, `killed-${killAfter}`);
      assert.equal(await runIn(folder, killAfter), null);
      const resumed = (await runIn(folder))!;
      assert.deepEqual(numbersOf(resumed.snapshot), numbersOf(undisturbed.snapshot), folder);
    }
  });
});
