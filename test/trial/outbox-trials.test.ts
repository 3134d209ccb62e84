import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Metric } from '../../src/generated/nni-message.ts';
import { StandaloneChannel } from '../../src/trial/channel/standalone.ts';
import { type MetricSource, readUndelivered } from '../../src/trial/outbox.ts';
import { metricOf } from '../support/nni.ts';
import { LIMIT_MS, postAll, STREAM, OutboxBench } from '../support/outbox.ts';

const bench = new OutboxBench();

describe('Outbox, other trials', () => {
  const ALONE: MetricSource = { parameterId: null, trialJobId: 'STANDALONE' };
  const alone = (metric: Metric): Metric => ({
    ...metric,
    parameter_id: null,
    trial_job_id: 'STANDALONE',
  });
  const FOREIGN = metricOf(0, { trial_job_id: 'other' });

  it('sends no metric of another trial, which NNI would end the experiment for, and keeps it', async () => {
    await bench.leave([FOREIGN], [{ metric: FOREIGN, inDoubt: false }]);
    const outbox = await bench.open();
    await postAll(outbox, STREAM.slice(1));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(bench.arrived(), STREAM.slice(1));
    assert.deepEqual(await readUndelivered(bench.folder), [{ metric: FOREIGN, inDoubt: false }]);
  });

  it('takes a report of another trial for none of its own', async () => {
    await bench.leave([FOREIGN], []);
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
    assert.deepEqual(await bench.recorded(), [FOREIGN, ...STREAM]);
  });

  it('sends a report once that was queued, not yet recorded, beside one of another trial', async () => {
    await bench.leave([FOREIGN], [{ metric: STREAM[0]!, inDoubt: false }]);
    const outbox = await bench.open(bench.httpChannel(false));
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
  });

  it('keeps what NNI has to get while the search goes on without NNI', async () => {
    await bench.leave(STREAM.slice(0, 2), [{ metric: STREAM[1]!, inDoubt: false }]);
    const outbox = await bench.open(new StandaloneChannel(bench.logger), ALONE);
    await postAll(outbox, STREAM.slice(0, 3).map(alone));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(
      (await readUndelivered(bench.folder)).map(({ metric }) => metric),
      [STREAM[1]],
    );
    assert.deepEqual(
      bench.logger.lines.filter((line) => line.includes('Index')),
      ['info Intermediate result: {"default": 0.5}  (Index 2)'],
    );
  });

  for (const isLocal of [true, false]) {
    for (const count of [3, STREAM.length]) {
      it(`reports to NNI what the search reported without it: ${count} of 4 (NNI tells what it has: ${String(isLocal)})`, async () => {
        const before = await bench.open(bench.httpChannel(isLocal));
        await postAll(before, STREAM.slice(0, 1));
        assert.equal(await before.flush(LIMIT_MS), 0);
        await before.close();
        const between = await bench.open(new StandaloneChannel(bench.logger), ALONE);
        await postAll(between, STREAM.slice(0, count).map(alone));
        assert.equal(await between.flush(LIMIT_MS), 0);
        await between.close();
        const outbox = await bench.open(bench.httpChannel(isLocal));
        await postAll(outbox);
        assert.equal(await outbox.flush(LIMIT_MS), 0);
        assert.deepEqual(bench.arrived(), STREAM);
        assert.deepEqual(await bench.recorded(), STREAM);
        assert.equal(bench.hasUndeliveredFile(), false);
      });
    }
  }

  it('reports it once, also when a process was killed while it took it over', async () => {
    const own = STREAM.slice(0, 1);
    const rest = STREAM.slice(1);
    const before = await bench.open(bench.httpChannel(false));
    await postAll(before, own);
    await before.flush(LIMIT_MS);
    await bench.leave(
      [...own, ...rest.map(alone)],
      rest.map((metric) => ({ metric, inDoubt: false })),
    );
    assert.equal(await (await bench.open(bench.httpChannel(false))).flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
    assert.deepEqual(await bench.recorded(), STREAM);
  });

  it('reports what a search without NNI was killed at', async () => {
    await bench.leave([], [{ metric: alone(STREAM[0]!), inDoubt: true }]);
    const outbox = await bench.open(bench.httpChannel(false));
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
  });
});
