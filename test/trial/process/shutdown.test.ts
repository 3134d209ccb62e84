import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemTimers } from '../../../src/cli/system.ts';
import { silentLogger } from '../../../src/foundation/logger.ts';
import { installSignalHandlers, type SignalTarget } from '../../../src/trial/process/shutdown.ts';
import { ManualTimers } from '../../support/timers.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-signal-'));
after(() => rm(root, { recursive: true }));
const SCRIPT = join(import.meta.dirname, '../../support/signal-script.ts');

async function startScript(mode: 'quick' | 'stuck', path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, mode, path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child.stdout, 'data');
  return child;
}

async function millisecondsOf(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

describe('installSignalHandlers, in a process', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`cleans up, then ends by ${signal}`, async () => {
      const path = join(root, signal);
      const child = await startScript('quick', path);
      const complaints = once(child.stderr!.setEncoding('utf8'), 'data');
      const ended = once(child, 'exit');
      child.kill(signal);
      assert.match(String(await complaints), new RegExp(`^warning ${signal}: cleaning up`));
      assert.deepEqual(await ended, [null, signal]);
      assert.equal(await readFile(path, 'utf8'), 'cleaned, aborted true\n');
    });
  }

  it('ends at once by the second signal', async () => {
    const child = await startScript('stuck', join(root, 'twice'));
    const noticed = once(child.stderr!, 'data');
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await noticed;
    child.kill('SIGTERM');
    assert.ok((await millisecondsOf(ended)) < 1500);
    assert.deepEqual(await ended, [null, 'SIGTERM']);
  });
});

/** A process that takes signals as they are told to it, and notes those that would end it. */
function fakeProcess() {
  const signals = new EventEmitter();
  const killedBy: unknown[] = [];
  const target = Object.assign(signals, {
    pid: 1,
    ppid: 1,
    kill: (_: number, name: unknown) => killedBy.push(name) > 0,
  });
  return { target: target as unknown as SignalTarget, signals, killedBy };
}

const OPTIONS = { logger: silentLogger, timers: systemTimers, hasTerminal: false };

describe('installSignalHandlers', () => {
  it('ends within its limit when the cleaning up does not', async () => {
    const { target, signals, killedBy } = fakeProcess();
    const timers = new ManualTimers();
    const options = { logger: silentLogger, timers, hasTerminal: false, limitMs: 20 };
    const shutdown = installSignalHandlers(target, options);
    shutdown.onShutdown(() => new Promise(() => undefined));
    signals.emit('SIGTERM', 'SIGTERM');
    await timers.pass(19);
    assert.deepEqual(killedBy, []);
    await timers.pass(1);
    assert.deepEqual(killedBy, ['SIGTERM']);
  });

  it('takes the copy of a signal that npm passes on for the same one', async () => {
    const timers = new ManualTimers();
    const { target, signals, killedBy } = fakeProcess();
    const options = { logger: silentLogger, timers, hasTerminal: false };
    const shutdown = installSignalHandlers(target, options);
    shutdown.onShutdown(() => new Promise(() => undefined));
    signals.emit('SIGINT', 'SIGINT');
    await timers.pass(200);
    signals.emit('SIGINT', 'SIGINT');
    assert.deepEqual(killedBy, [], 'a copy');
    await timers.pass(200);
    signals.emit('SIGINT', 'SIGINT');
    assert.deepEqual(killedBy, ['SIGINT'], 'a second one');
  });

  it('leaves signals to end the process, but for a hang-up that it outlives', () => {
    const { target, signals } = fakeProcess();
    installSignalHandlers(target, OPTIONS).leaveSignals();
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    assert.deepEqual(
      names.map((name) => signals.listenerCount(name)),
      [0, 0, 1],
    );
  });

  it('leaves no handler behind when the program ends by itself', () => {
    const counts = (): number[] =>
      ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name));
    const before = counts();
    const shutdown = installSignalHandlers(process, OPTIONS);
    assert.notDeepEqual(counts(), before);
    shutdown.dispose();
    assert.deepEqual(counts(), before);
  });
});
