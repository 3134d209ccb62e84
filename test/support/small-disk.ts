import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of a few MiB of its own. */
export interface SmallDisk {
  /** Its root folder, for every process of this user. */
  readonly folder: string;
  /** Takes all room that is left, until {@link free}. */
  fill(): Promise<void>;
  free(): Promise<void>;
  setReadOnly(isReadOnly: boolean): Promise<void>;
  remove(): Promise<void>;
}

/** The second is for root where user namespaces are switched off. */
const NAMESPACES = ['-rm', '-m'];

/**
 * Mounts a tmpfs in a name space of its own, which needs no rights and leaves no mount behind: the
 * disk is reached through `/proc` as long as the shell that mounted it lives.
 */
export async function mountSmallDisk(mebibytes: number): Promise<SmallDisk> {
  const place = await mkdtemp(join(tmpdir(), 'small-disk-'));
  for (const flags of NAMESPACES) {
    const disk = await tryMount(flags, place, mebibytes);
    if (disk !== null) return disk;
  }
  await rm(place, { recursive: true });
  throw new Error('this machine lets nobody mount a tmpfs, not even in a user namespace');
}

async function tryMount(
  flags: string,
  place: string,
  mebibytes: number,
): Promise<SmallDisk | null> {
  const mount = `mount -t tmpfs -o size=${mebibytes}m tmpfs ${place} && echo done`;
  const shell = spawn('unshare', [flags, 'sh', '-c', `${mount} && exec sh`], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = shell.stdout.setEncoding('utf8');
  const closed = once(shell, 'close');
  const answer: unknown[] = await Promise.race([once(answers, 'data'), closed]);
  if (answer[0] !== 'done\n') return null;
  const folder = `/proc/${shell.pid}/root${place}`;
  const filler = join(folder, 'filler');
  return {
    folder,
    fill: () => fillUp(filler),
    free: () => rm(filler, { force: true }),
    setReadOnly: async (isReadOnly) => {
      // Refused while a file is being written. A bind mount knows nothing of users that are not mapped.
      const remount = `mount -o remount,bind,${isReadOnly ? 'ro' : 'rw'} ${place} 2>/dev/null`;
      const loop = `for n in $(seq 500); do ${remount} && answer=done && break; sleep 0.01; done`;
      shell.stdin.write(`answer=busy; ${loop}; echo $answer\n`);
      assert.deepEqual(await once(answers, 'data'), ['done\n']);
    },
    remove: async () => {
      shell.stdin.end();
      await closed;
      await rm(place, { recursive: true });
    },
  };
}

/** Writes until nothing more fits. */
async function fillUp(file: string): Promise<void> {
  const handle = await open(file, 'a');
  try {
    for (const bytes of [2 ** 16, 2 ** 12]) await writeUntilFull(handle, Buffer.alloc(bytes));
  } finally {
    await handle.close();
  }
}

async function writeUntilFull(
  handle: Awaited<ReturnType<typeof open>>,
  piece: Buffer,
): Promise<void> {
  const isFull = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOSPC';
  for (;;) {
    try {
      await handle.write(piece);
    } catch (error) {
      if (isFull(error)) return;
      throw error;
    }
  }
}
