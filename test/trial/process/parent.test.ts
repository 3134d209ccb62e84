import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { watchParents } from '../../../src/trial/process/parent.ts';
import { until } from '../../support/command.ts';
import { ManualTimers } from '../../support/timers.ts';

const OWN = ['PATH=/bin', 'NNI_TRIAL_JOB_ID=aBcDe', ''].join('\0');
const OTHER = ['PATH=/bin', 'NNI_TRIAL_JOB_ID=other', ''].join('\0');
const [MANAGER, OUTER, SHELL] = [100, 200, 300];

/** Between two looks. */
const INTERVAL_MS = 1000;

describe('watchParents', () => {
  let root: string;
  let gone: string[];
  let stop: () => void;
  let timers: ManualTimers;

  interface Faked {
    readonly parent: number;
    readonly start?: number;
    readonly state?: string;
    /** Left out, the file cannot be read. */
    readonly environ?: string;
  }

  function fake(pid: number, { parent, start = pid, state = 'S', environ }: Faked): void {
    const folder = join(root, String(pid));
    mkdirSync(folder, { recursive: true });
    const later = Array.from({ length: 17 }, () => 0).join(' ');
    writeFileSync(join(folder, 'stat'), `${pid} (a (b) c) ${state} ${parent} ${later} ${start} 0`);
    if (environ !== undefined) writeFileSync(join(folder, 'environ'), environ);
  }

  function watch(parent: number): void {
    const onGone = (who: string): void => void gone.push(who);
    timers = new ManualTimers();
    stop = watchParents({ trialJobId: 'aBcDe', parent, onGone, timers, root });
  }

  async function assertTold(...expected: readonly string[]): Promise<void> {
    await timers.pass(INTERVAL_MS);
    await until(() => gone.length >= expected.length, { limitMs: 5000 });
    assert.deepEqual(gone, expected);
  }

  /** Lets the watch have a few looks. */
  async function assertSilent(): Promise<void> {
    const told = gone.length;
    for (let look = 0; look < 3; look++) {
      await timers.untilSleeping();
      await timers.pass(INTERVAL_MS);
    }
    await timers.untilSleeping();
    assert.deepEqual(gone.slice(told), []);
  }

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nni-cream-parent-'));
    gone = [];
    fake(1, { parent: 0, environ: '' });
    fake(MANAGER, { parent: 1, environ: OTHER });
    fake(OUTER, { parent: MANAGER, environ: OWN });
    fake(SHELL, { parent: OUTER, environ: OWN });
  });
  afterEach(() => {
    stop();
    rmSync(root, { recursive: true });
  });

  it('finds the manager above the shells of a compound command, and tells its end once', async () => {
    watch(SHELL);
    await assertSilent();
    rmSync(join(root, String(MANAGER)), { recursive: true });
    await assertTold("NNI's manager (100)");
  });

  it('tells the end of the shell that NNI kills in place of the trial', async () => {
    watch(SHELL);
    await assertSilent();
    rmSync(join(root, String(SHELL)), { recursive: true });
    await assertTold('the parent process (300)');
  });

  it('takes a process that nobody has reaped, or a later one of the same id, for gone', async () => {
    watch(OUTER);
    await assertSilent();
    fake(MANAGER, { parent: 1, state: 'Z' });
    await assertTold("NNI's manager (100)");
    fake(MANAGER, { parent: 1 });
    watch(OUTER);
    await assertSilent();
    fake(OUTER, { parent: 1, start: 999 });
    await assertTold("NNI's manager (100)", 'the parent process (200)');
  });

  it('watches the parent alone where variables may not be read', async (t) => {
    const { readFile } = fs;
    const hidden = join(root, String(SHELL), 'environ');
    // Permissions do not bind root.
    const read = t.mock.method(fs, 'readFile', (file: string, encoding: 'utf8') =>
      file === hidden
        ? Promise.reject(Object.assign(new Error(file), { code: 'EACCES' }))
        : readFile(file, encoding),
    );
    syncBuiltinESMExports();
    t.after(() => {
      read.mock.restore();
      syncBuiltinESMExports();
    });
    watch(SHELL);
    await assertSilent();
    rmSync(join(root, String(MANAGER)), { recursive: true });
    await assertSilent();
    fake(SHELL, { parent: OUTER, start: 999 });
    await assertTold('the parent process (300)');
  });

  it('watches all the same when the first look fails', async () => {
    const environ = join(root, String(SHELL), 'environ');
    const readable = `${environ}.readable`;
    renameSync(environ, readable);
    symlinkSync('.', environ); // read as a file, it fails otherwise than one that may not be read
    watch(SHELL);
    await assertSilent();
    renameSync(readable, environ);
    await assertSilent();
    rmSync(join(root, String(MANAGER)), { recursive: true });
    await assertTold("NNI's manager (100)");
  });

  it('tells of a parent that was gone before the first look', async () => {
    rmSync(join(root, String(SHELL)), { recursive: true });
    watch(SHELL);
    await assertTold('the parent process (300)');
  });

  it('says nothing of a parent outside of its container', async () => {
    watch(0);
    await assertSilent();
  });

  it('goes on when a look fails, and says nothing once it is stopped', async () => {
    watch(MANAGER);
    await assertSilent();
    const stat = join(root, String(MANAGER), 'stat');
    rmSync(stat);
    mkdirSync(stat); // read as a file, it fails otherwise than one that is not there
    await assertSilent();
    stop();
    rmSync(stat, { recursive: true });
    await timers.pass(INTERVAL_MS);
    assert.equal(timers.sleeping, 0, 'it waits for no further look');
    assert.deepEqual(gone, []);
  });
});
