import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLogger } from '../../src/foundation/logger.ts';
import { installSignalHandlers } from '../../src/trial/shutdown.ts';

const root = await mkdtemp(join(tmpdir(), 'nni-cream-signal-'));
after(() => rm(root, { recursive: true }));
const SCRIPT = join(import.meta.dirname, '../support/signal-script.ts');

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
    it(`cleans up, then ends by ${signal} [checks 22, 23]`, async () => {
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

  it('ends within 3 s when the cleaning up does not', async () => {
    const child = await startScript('stuck', join(root, 'stuck'));
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const spentMs = await millisecondsOf(ended);
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    assert.ok(spentMs > 2200 && spentMs < 3000, `${spentMs} ms`);
  });

  it('ends at once by the second signal [check 22]', async () => {
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

describe('installSignalHandlers', () => {
  it('leaves no handler behind when the program ends by itself', () => {
    const counts = (): number[] =>
      ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name));
    const before = counts();
    const shutdown = installSignalHandlers(process, { logger: silentLogger, hasTerminal: false });
    assert.notDeepEqual(counts(), before);
    shutdown.dispose();
    assert.deepEqual(counts(), before);
  });
});
