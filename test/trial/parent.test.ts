import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchParents } from '../../src/trial/parent.ts';

const OWN = ['PATH=/bin', 'NNI_TRIAL_JOB_ID=aBcDe', ''].join('\0');
const OTHER = ['PATH=/bin', 'NNI_TRIAL_JOB_ID=other', ''].join('\0');
const [MANAGER, OUTER, SHELL] = [100, 200, 300];

describe('watchParents', () => {
  let root: string;
  let gone: string[];
  let stop: () => void;

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
    stop = watchParents({ trialJobId: 'aBcDe', parent, onGone, root, intervalMs: 5 });
  }

  /** Gives the watch time for a few looks. */
  async function look(): Promise<void> {
    await sleep(100);
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
    await look();
    assert.deepEqual(gone, []);
    rmSync(join(root, String(MANAGER)), { recursive: true });
    await look();
    assert.deepEqual(gone, ["NNI's manager (100)"]);
  });

  it('tells the end of the shell that NNI kills in place of the trial', async () => {
    watch(SHELL);
    await look();
    rmSync(join(root, String(SHELL)), { recursive: true });
    await look();
    assert.deepEqual(gone, ['the parent process (300)']);
  });

  it('takes a process that nobody has reaped, or a later one of the same id, for gone', async () => {
    watch(OUTER);
    await look();
    fake(MANAGER, { parent: 1, state: 'Z' });
    await look();
    assert.deepEqual(gone, ["NNI's manager (100)"]);
    fake(MANAGER, { parent: 1 });
    watch(OUTER);
    await look();
    fake(OUTER, { parent: 1, start: 999 });
    await look();
    assert.deepEqual(gone.slice(1), ['the parent process (200)']);
  });

  it('watches the parent alone where variables cannot be read', async () => {
    rmSync(join(root, String(SHELL), 'environ'));
    watch(SHELL);
    await look();
    rmSync(join(root, String(MANAGER)), { recursive: true });
    await look();
    assert.deepEqual(gone, []);
    rmSync(join(root, String(SHELL)), { recursive: true });
    await look();
    assert.deepEqual(gone, ['the parent process (300)']);
  });

  it('goes on when a look fails, and says nothing once it is stopped', async () => {
    watch(MANAGER);
    await look();
    const stat = join(root, String(MANAGER), 'stat');
    rmSync(stat);
    mkdirSync(stat); // read as a file, it fails otherwise than one that is not there
    await look();
    assert.deepEqual(gone, []);
    stop();
    rmSync(stat, { recursive: true });
    await look();
    assert.deepEqual(gone, []);
  });
});
