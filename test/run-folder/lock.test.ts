import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { TrialError } from '../../src/foundation/errors.ts';
import { acquireLock, lockHolder, type LockRecord } from '../../src/run-folder/lock.ts';

const SCRIPT = join(import.meta.dirname, '../support/lock-script.ts');
const owner = { command: 'nni-cream search -c a.yml', time: new Date('2026-01-02T03:04:05Z') };

/** A process that breaks says nothing more. */
const LIMIT = { timeout: 60_000 };

let folder = '';
let lockFile = '';

async function recordOf(file: string): Promise<LockRecord> {
  return JSON.parse(await readFile(file, 'utf8')) as LockRecord;
}

/** Leaves the lock that this very process would have, with changes. */
async function leaveLock(changes: Partial<LockRecord>): Promise<void> {
  const lock = await acquireLock(folder, owner);
  const record = await recordOf(lockFile);
  await lock.release();
  await writeFile(lockFile, JSON.stringify({ ...record, ...changes }));
}

async function assertInUse(...parts: readonly string[]): Promise<void> {
  await assert.rejects(acquireLock(folder, owner), (error) => {
    assert.ok(error instanceof TrialError && error.code === 'FOLDER_IN_USE', String(error));
    for (const part of parts) assert.ok(error.message.includes(part), error.message);
    return true;
  });
}

async function assertTakenOver(): Promise<void> {
  const lock = await acquireLock(folder, owner);
  assert.equal((await recordOf(lockFile)).pid, process.pid);
  assert.deepEqual(await readdir(folder), ['lock.json']);
  await lock.release();
  assert.deepEqual(await readdir(folder), []);
}

/** The pid of a process that is over. */
function deadPid(): number {
  return spawnSync('true').pid;
}

describe('acquireLock', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lock-'));
    lockFile = join(folder, 'lock.json');
  });
  beforeEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('makes the folder, names the process, and leaves nothing behind', async () => {
    const lock = await acquireLock(folder, owner);
    const { pid, host, command, time } = await recordOf(lockFile);
    assert.deepEqual([pid, host, command], [process.pid, hostname(), owner.command]);
    assert.equal(time, '2026-01-02T03:04:05.000Z');
    assert.equal((await lockHolder(folder))?.pid, process.pid);
    await lock.release();
    assert.deepEqual(await readdir(folder), []);
    assert.equal(await lockHolder(folder), null);
  });

  it('refuses a folder that a living process holds, and says how to get it', async () => {
    const lock = await acquireLock(folder, owner);
    const words = [`process ${process.pid}`, owner.command, `"kill ${process.pid}"`, lockFile];
    await assertInUse(...words);
    await lock.release();
    await assertTakenOver();
  });

  it('takes over from a dead process, and from a later one with its pid', async () => {
    await leaveLock({ pid: deadPid() });
    assert.equal(await lockHolder(folder), null);
    await assertTakenOver();
    await leaveLock({ processStart: '1' });
    await assertTakenOver();
  });

  it('takes over from a process that was killed and not yet reaped', async () => {
    // The shell becomes `sleep 9`, which does not know that it has a child to wait for.
    const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 9']);
    const [line] = (await once(parent.stdout.setEncoding('utf8'), 'data')) as [string];
    const stat = `/proc/${line.trim()}/stat`;
    let fields: string[];
    do fields = (await readFile(stat, 'utf8')).split(' ');
    while (fields[2] !== 'Z');
    await leaveLock({ pid: Number(line), processStart: fields[21]! });
    await assertTakenOver();
    parent.kill();
  });

  it('takes over from before a boot of the machine', async () => {
    await leaveLock({ bootId: 'another' });
    await assertTakenOver();
  });

  it('takes over a damaged lock', async () => {
    await mkdir(folder);
    for (const text of ['', '{"pid": 1', 'null', '[]', '{"pid": "1/../2"}', '{"pid": 1}']) {
      await writeFile(lockFile, text);
      await assertTakenOver();
    }
  });

  it('takes over a link that leads nowhere', async () => {
    await mkdir(folder);
    await symlink('/nowhere/lock.json', lockFile);
    assert.equal(await lockHolder(folder), null);
    await assertTakenOver();
  });

  it('removes what killed processes left on their way to it, but none of the last minute', async () => {
    await mkdir(folder);
    const [old, young] = ['old', 'young'].map((name) => `${lockFile}.${name}.partial`);
    await writeFile(old!, '');
    await writeFile(young!, '');
    await utimes(old!, 0, 0);
    const lock = await acquireLock(folder, owner);
    await lock.release();
    assert.deepEqual(await readdir(folder), ['lock.json.young.partial']);
  });

  it('locks the folder although something that was left there cannot be removed', async () => {
    const left = `${lockFile}.a.partial`;
    await mkdir(left, { recursive: true });
    await utimes(left, 0, 0);
    const lock = await acquireLock(folder, owner);
    await lock.release();
    assert.deepEqual(await readdir(folder), ['lock.json.a.partial']);
  });

  it("respects another machine's lock and names the file to delete", async () => {
    await leaveLock({ host: 'elsewhere', pid: deadPid(), bootId: 'its own' });
    await assertInUse('of elsewhere', 'if elsewhere does not run it any more, delete the file');
    assert.equal((await lockHolder(folder))?.host, 'elsewhere');
  });

  it('takes over where a process died in the middle of taking over', async () => {
    await leaveLock({ pid: deadPid() });
    await writeFile(`${lockFile}.takeover`, await readFile(lockFile));
    await writeFile(`${lockFile}.takeover.takeover`, 'cut');
    await assertTakenOver();
  });

  it('releases only its own lock', async () => {
    const lock = await acquireLock(folder, owner);
    const others = JSON.stringify({ ...(await recordOf(lockFile)), host: 'elsewhere' });
    await writeFile(lockFile, others);
    await lock.release();
    assert.equal(await readFile(lockFile, 'utf8'), others);
    await rm(lockFile);
    await lock.release();
  });

  it('says so where the system makes no folder', { timeout: 20_000 }, async () => {
    for (const refused of ['/proc/x', '/proc/x/y']) {
      await assert.rejects(acquireLock(refused, owner), { code: 'FILE_UNWRITABLE' });
    }
  });

  it('says so when the folder cannot be made', async () => {
    await assert.rejects(
      acquireLock('/dev/null/out', owner),
      (error) => error instanceof TrialError && error.code === 'FILE_UNWRITABLE',
    );
  });

  it(
    'gives the lock of a dead process to exactly one of many that try at once',
    LIMIT,
    async () => {
      const [processes, rounds, intervalMs] = [8, 60, 25];
      await leaveLock({ pid: deadPid() });
      const dead = await readFile(lockFile);
      for (let round = 0; round < rounds; round++) {
        await mkdir(join(folder, String(round)), { recursive: true });
        const found = join(folder, String(round), 'lock.json');
        // No lock, a dead one, and a dead one with a process dead in its takeover.
        if (round % 3 > 0) await writeFile(found, dead);
        if (round % 3 > 1) await writeFile(`${found}.takeover`, dead);
      }
      const args = ['--import', 'tsx', SCRIPT, folder, rounds, intervalMs].map(String);
      const children = Array.from({ length: processes }, () =>
        spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }),
      );
      const nextLines = async (): Promise<string[]> => {
        const lines = children.map(({ stdout }) => once(stdout.setEncoding('utf8'), 'data'));
        return (await Promise.all(lines)).map(([line]) => line as string);
      };
      try {
        assert.deepEqual(new Set(await nextLines()), new Set(['ready\n']));
        const start = Date.now() + 200;
        for (const { stdin } of children) stdin.write(String(start));
        const won = (await nextLines()).map((line) => JSON.parse(line) as number[]);
        assert.deepEqual(
          won.flat().sort((a, b) => a - b),
          Array.from({ length: rounds }, (_, round) => round),
        );
        assert.ok(won.filter((each) => each.length > 0).length > 1, 'all went to one process');
      } finally {
        for (const child of children) child.kill();
      }
    },
  );
});
