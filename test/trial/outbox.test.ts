import assert from 'node:assert/strict';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StdoutChannel } from '../../src/trial/channel/stdout.ts';
import { systemTimers } from '../../src/cli/system.ts';
import { METRICS_FILE, UNDELIVERED_FILE } from '../../src/run-folder/history.ts';
import { readUndelivered } from '../../src/trial/outbox.ts';
import { until } from '../support/command.ts';
import { FakeManager, type Fault } from '../support/fake-manager.ts';
import { LIMIT_MS, postAll, STREAM, OutboxBench } from '../support/outbox.ts';

const FINAL = STREAM.at(-1)!;

const bench = new OutboxBench();

const FAULTS: readonly (readonly [string, Fault])[] = [
  ['a connection that breaks before the manager acts', 'break'],
  ['a connection that breaks after the manager has acted', 'reset'],
  ['a manager that acts and closes its end', 'half-close'],
  ['a manager that acts and answers after the deadline', 'slow'],
  ['a manager that does not answer', 'hang'],
  ['status 500', { status: 500 }],
  ['status 503', { status: 503 }],
  ['status 404', { status: 404 }],
];

/** Those that end with the deadline. */
const SLOW: ReadonlySet<Fault> = new Set<Fault>(['slow', 'hang']);

describe('Outbox, faults of the manager', () => {
  for (const [name, fault] of FAULTS) {
    it(`loses, doubles and reorders nothing with ${name}, at every metric`, async () => {
      for (let at = 0; at < STREAM.length; at++) {
        bench.manager.metrics.length = 0;
        await bench.changeFolder();
        const peer = bench.manager;
        bench.manager = await FakeManager.start();
        await peer.stop();
        const outbox = await bench.open(bench.httpChannel(true, SLOW.has(fault) ? 100 : 2000));
        await postAll(outbox, STREAM.slice(0, at));
        assert.equal(await outbox.flush(LIMIT_MS), 0);
        bench.manager.fail('PUT', fault, fault);
        await postAll(outbox, STREAM.slice(at));
        assert.equal(await outbox.flush(LIMIT_MS), 0);
        assert.deepEqual(bench.arrived(), STREAM);
        assert.equal(bench.hasUndeliveredFile(), false);
        assert.deepEqual(await bench.recorded(), STREAM);
      }
    });
  }

  it('gives a slow database time before it takes a metric for missing', async () => {
    bench.manager.storeMs = 50;
    bench.manager.fail('PUT', 'reset', 'reset', 'reset');
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
  });

  it('outlives a long outage: posts go on, and all arrives in order from a manager on the same port', async () => {
    const channel = bench.httpChannel();
    const { port } = bench.manager;
    await bench.manager.stop();
    const outbox = await bench.open(channel);
    await postAll(outbox, STREAM.slice(0, 3));
    assert.ok((await outbox.flush(300)) > 0);
    assert.deepEqual((await readUndelivered(bench.folder)).map(({ metric }) => metric), STREAM.slice(0, 3)); // prettier-ignore
    bench.manager = await FakeManager.start('', port);
    await postAll(outbox, STREAM.slice(3));
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
  });

  it('says an outage once, not at every try', async () => {
    const channel = bench.httpChannel();
    await bench.manager.stop();
    const outbox = await bench.open(channel);
    await postAll(outbox);
    const warnings = (): string[] =>
      bench.logger.lines.filter((line) => line.startsWith('warning'));
    await until(() => warnings().length > 0);
    await outbox.flush(200);
    assert.equal(warnings().length, 1, warnings().join('\n'));
    bench.manager = await FakeManager.start();
  });

  it('waits for no answer of NNI: neither opening nor posting does', async () => {
    bench.manager.fail('metric-data', 'hang', 'hang');
    bench.manager.fail('PUT', 'hang');
    const posted = bench.open(bench.httpChannel(true, 60_000)).then((outbox) => postAll(outbox));
    assert.notEqual(await Promise.race([posted, sleep(10_000, 'waiting')]), 'waiting');
  });

  it('stops sending, not posting, when the manager has closed the channel', async () => {
    bench.manager.fail('PUT', { status: 410 });
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), STREAM.length);
    assert.deepEqual(bench.arrived(), []);
    assert.deepEqual(await bench.recorded(), STREAM);
    const waiting = STREAM.map((metric) => ({ metric, inDoubt: false }));
    assert.deepEqual(await readUndelivered(bench.folder), waiting);
  });

  it('warns where the disk cannot be written, and delivers what is in memory', async () => {
    // Root may write everywhere: folders in the place of the files stop it too.
    await mkdir(join(bench.folder, `${UNDELIVERED_FILE}.partial`));
    await mkdir(join(bench.folder, `${METRICS_FILE}.partial`));
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
    assert.match(bench.logger.lines[0]!, /^warning metrics are kept in memory only: /);
  });
});

describe('Outbox, where NNI does not tell what it has', () => {
  it('never sends a metric in doubt again, keeps it, and goes on', async () => {
    const outbox = await bench.open(bench.httpChannel(false));
    await postAll(outbox, STREAM.slice(0, 1));
    await outbox.flush(LIMIT_MS);
    bench.manager.fail('PUT', 'break');
    await postAll(outbox, STREAM.slice(1));
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(bench.arrived(), [STREAM[0], STREAM[2], FINAL]);
    assert.deepEqual(
      (await readUndelivered(bench.folder)).map(({ metric }) => metric),
      [STREAM[1]],
    );
  });

  it('sends again what surely has not arrived', async () => {
    bench.manager.fail('PUT', { status: 503 }, { status: 500 });
    const outbox = await bench.open(bench.httpChannel(false));
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
  });

  it('is in doubt too when the web UI answers in place of the database', async () => {
    bench.manager.hasDatabase = false;
    bench.manager.fail('PUT', 'reset');
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 1);
    assert.deepEqual(bench.arrived(), STREAM);
  });
});

describe('Outbox, after a kill', () => {
  for (const inDoubt of [false, true]) {
    it(`between queue and record: both are completed (in doubt: ${String(inDoubt)})`, async () => {
      await bench.leave(STREAM.slice(0, 3), [{ metric: FINAL, inDoubt }]);
      const outbox = await bench.open();
      await postAll(outbox);
      assert.equal(await outbox.flush(LIMIT_MS), 0);
      assert.deepEqual(bench.arrived().at(-1), FINAL);
      assert.equal(bench.arrived().filter(({ type }) => type === 'FINAL').length, 1);
      assert.deepEqual(await bench.recorded(), STREAM);
      assert.equal(bench.hasUndeliveredFile(), false);
    });
  }

  it('between the answer and the record of it: nothing is doubled, and the file is gone', async () => {
    const before = await bench.open();
    await postAll(before, STREAM.slice(0, 2));
    await before.flush(LIMIT_MS);
    await bench.leave(STREAM.slice(0, 2), [{ metric: STREAM[1]!, inDoubt: true }]);
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
    assert.equal(bench.hasUndeliveredFile(), false);
  });

  it('of a process that had delivered all: the file of the undelivered goes, with nothing to post', async () => {
    const before = await bench.open();
    await postAll(before);
    await before.flush(LIMIT_MS);
    await bench.leave(STREAM, [{ metric: FINAL, inDoubt: true }]);
    assert.equal(await (await bench.open()).flush(LIMIT_MS), 0);
    assert.equal(bench.hasUndeliveredFile(), false);
    assert.deepEqual(bench.arrived(), STREAM);
  });

  it('sends what NNI had answered for and lost, as it is stopped, without a gap', async () => {
    const before = await bench.open();
    await postAll(before, STREAM.slice(0, 1));
    await before.flush(LIMIT_MS);
    await bench.leave(STREAM.slice(0, 3), []);
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM);
  });

  it('in the middle of a send, by a signal: what may have arrived is not sent again', async () => {
    bench.manager.fail('PUT', 'slow');
    const channel = bench.httpChannel(false);
    const outbox = await bench.open(channel);
    await postAll(outbox, STREAM.slice(0, 1));
    await until(() => bench.manager.metrics.length > 0);
    await channel.close();
    await outbox.close();
    assert.deepEqual(await readUndelivered(bench.folder), [{ metric: STREAM[0], inDoubt: true }]);
    const next = await bench.open(bench.httpChannel(false));
    assert.equal(await next.flush(LIMIT_MS), 1);
    assert.deepEqual(bench.arrived(), [STREAM[0]]);
  });

  it('drops a torn last line and refuses a damaged one', async () => {
    await bench.leave(STREAM.slice(0, 1), []);
    await appendFile(join(bench.folder, METRICS_FILE), '{"type":"epo');
    const outbox = await bench.open();
    await postAll(outbox);
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(await bench.recorded(), STREAM);
    await writeFile(join(bench.folder, METRICS_FILE), '{"type":"epo\n');
    await assert.rejects(bench.open(), { code: 'FILE_UNREADABLE' });
  });
});

describe('Outbox, its start', () => {
  it('sends nothing before it is told to', async () => {
    const outbox = await bench.make(STREAM.slice(0, 2));
    assert.equal(await outbox.flush(LIMIT_MS), 2);
    assert.deepEqual(bench.manager.seen, []);
    outbox.start();
    assert.equal(await outbox.flush(LIMIT_MS), 0);
    assert.deepEqual(bench.arrived(), STREAM.slice(0, 2));
  });
});

describe('Outbox, its end', () => {
  it('waits no longer than its limit for an output that nobody reads, and writes nothing later', async () => {
    let finish = (): void => undefined;
    const channel = new StdoutChannel(
      { systemDirectory: bench.folder, timers: systemTimers },
      { write: (_, done) => (finish = done) },
    );
    const outbox = await bench.open(channel);
    await postAll(outbox, STREAM.slice(0, 1));
    await outbox.flush(50);
    await outbox.close();
    const left = [{ metric: STREAM[0], inDoubt: true }];
    assert.deepEqual(await readUndelivered(bench.folder), left);
    finish();
    await outbox.flush(LIMIT_MS);
    assert.deepEqual(await readUndelivered(bench.folder), left);
  });
});
