import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import {
  createTrainingBatches,
  type TrainingOptions,
} from '../../../src/data/stream/training-batches.ts';
import { createBatchMaker } from '../../../src/data/stream/training-plan.ts';
import { numberedSet } from '../support.ts';

const images = numberedSet(64, 8);

function plan(more: Partial<TrainingOptions> = {}): TrainingOptions {
  return {
    images,
    indices: Int32Array.from({ length: 60 }, (_, at) => at),
    batchSize: 16,
    stepsPerEpoch: 3,
    seed: 9,
    augmentation: { crop: 'shift', flip: true, jitter: 0.2, erasing: 0.2 },
    normalisation: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] },
    clock: () => performance.now(),
    ...more,
  };
}

describe('createTrainingBatches', () => {
  const stream = createTrainingBatches(plan());
  after(() => stream.close());

  it('gives the batch of a step whatever was asked for before', async () => {
    const make = createBatchMaker(plan());
    for (const step of [0, 1, 2, 50, 3, 3, 1_000_000, 0]) {
      assert.deepEqual(await stream.next(step), make(step), `step ${step}`);
    }
    const together = await Promise.all([7, 9, 200].map((step) => stream.next(step)));
    assert.deepEqual(together, [7, 9, 200].map(make));
  });

  it('depends on the seed', () => {
    const other = createBatchMaker(plan({ seed: 10 }))(0);
    assert.notDeepEqual(other.images, createBatchMaker(plan())(0).images);
  });

  it('normalises and labels what it draws', () => {
    const augmentation = { crop: 'none', flip: false, jitter: 0, erasing: 0 } as const;
    const batch = createBatchMaker(plan({ augmentation }))(4);
    for (let at = 0; at < batch.count; at++) {
      const red = batch.images[at * 8 * 8 * 3]!;
      const member = Math.round((red * 0.2 + 0.5) * 255);
      assert.equal(batch.labels[at], images.labels[member]);
      assert.ok(member < 60);
    }
  });

  it('owns each batch alone', async () => {
    const first = await stream.next(20);
    first.images.fill(0);
    assert.notDeepEqual(await stream.next(20), first);
  });

  it('adds up the time that callers wait, by the given clock', async () => {
    let now = 0;
    const timed = createTrainingBatches(plan({ clock: () => (now += 10) }));
    await timed.next(0);
    assert.equal(timed.waitedMs, 10);
    await timed.next(1);
    assert.equal(timed.waitedMs, 20);
    await timed.close();
  });

  /** Whether the second batch is there at once after a time in which this thread does nothing. */
  async function isReadyAfter(ms: number): Promise<boolean> {
    const busy = createTrainingBatches(plan());
    await busy.next(0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    const late = async (): Promise<null> => {
      // Microtasks only: the event loop does not turn.
      for (let count = 0; count < 100; count++) await Promise.resolve();
      return null;
    };
    const isReady = (await Promise.race([busy.next(1), late()])) !== null;
    await busy.close();
    return isReady;
  }

  it('has batches ready for a thread that never turns its event loop', async () => {
    for (const ms of [100, 1000, 10_000]) {
      if (await isReadyAfter(ms)) return;
    }
    assert.fail('the batch has to wait for a turn');
  });

  it('rejects what is awaited when it is closed, and everything after', async () => {
    const closed = createTrainingBatches(plan());
    const pending = assert.rejects(closed.next(0), /closed/u);
    await closed.close();
    await pending;
    await assert.rejects(closed.next(1), /closed/u);
  });

  it('rejects when the thread dies', async () => {
    const dying = createTrainingBatches(plan({ indices: Int32Array.of(5000) }));
    await assert.rejects(dying.next(0), /image 5000/u);
    await assert.rejects(dying.next(1), /image 5000/u);
    await dying.close();
  });

  it('keeps no process alive, neither closed nor idle', async () => {
    const source = (file: string): string => import.meta.resolve(`../../../src/data/${file}`);
    const script = (end: string): string => `
      import { createTrainingBatches } from '${source('stream/training-batches.ts')}';
      import { createImageSet } from '${source('store/image-set.ts')}';
      const images = createImageSet({ count: 8, size: 4, classes: ['a', 'b'] });
      const stream = createTrainingBatches({
        images, indices: Int32Array.of(0, 1, 2, 3), batchSize: 2, stepsPerEpoch: 2, seed: 1,
        augmentation: { crop: 'none', flip: false, jitter: 0, erasing: 0 },
        normalisation: { mean: [0, 0, 0], std: [1, 1, 1] }, clock: () => 0,
      });
      console.log((await stream.next(0)).count);
      ${end}`;
    for (const end of ['await stream.close();', '']) {
      const args = ['--import', 'tsx', '--input-type=module', '--eval', script(end)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
      assert.equal(stdout, '2\n');
    }
  });
});
