/** At most one process writes into an output folder: `lock.json` names it. */

import { link, lstat, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TrialError } from '../foundation/errors.ts';
import { makeFolder, removeLeftovers } from '../foundation/files.ts';
import { PARTIAL, unlessUnwritable } from '../foundation/atomic-file.ts';
import { findProcess } from '../foundation/processes.ts';

/** Name of the lock within the output folder. */
export const LOCK_FILE = 'lock.json';

/** Age of a leftover file beside the lock, milliseconds; such files normally live for a few. */
const LEFT_OVER_MS = 60_000;

/** Identity of the process that holds a lock. */
export interface LockRecord {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process: distinguishes reused pids. */
  readonly processStart: string;
  /** Changes at every boot. */
  readonly bootId: string;
  readonly host: string;
  readonly command: string;
  /** ISO 8601. */
  readonly time: string;
}

/** What a lock tells people. */
export interface LockOwner {
  /** The task and its config file. */
  readonly command: string;
  readonly time: Date;
}

/** A lock that this process holds. */
export interface Lock {
  /** Releases the lock, unless another process has taken it over. Never rejects. */
  release(): Promise<void>;
}

/**
 * Locks a folder for this process, and creates a missing one. Takes over the lock of a dead process:
 * of several processes that try at once, exactly one succeeds.
 *
 * @throws TrialError FOLDER_IN_USE when a running process, or one on another machine, holds it.
 * @throws TrialError FILE_UNWRITABLE
 */
export async function acquireLock(folder: string, { command, time }: LockOwner): Promise<Lock> {
  const file = join(folder, LOCK_FILE);
  const record: LockRecord = { ...(await thisProcess()), command, time: time.toISOString() };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await unlessUnwritable(folder, async () => {
    await makeFolder(folder);
    const own = await writeOwn(file, record, text);
    try {
      await claim(file, own);
      await removeLeftovers(own, isLeftover, LEFT_OVER_MS);
    } finally {
      await rm(own, { force: true });
    }
  });
  return {
    release: async () => {
      const isOwn = (await textOf(file).catch(() => null)) === text;
      // On a disk that has become read-only the file stays; it is void when this process ends.
      if (isOwn) await rm(file, { force: true }).catch(() => undefined);
    },
  };
}

/** The running process that holds a folder's lock; null without one. */
export async function lockHolder(folder: string): Promise<LockRecord | null> {
  return holderOf(await textOf(join(folder, LOCK_FILE)));
}

/**
 * Links `name` to the file `own`, which holds this process's record. Only the holder of the lock
 * `name.takeover` may replace a dead lock, and it checks again: another process may have replaced the
 * lock since the first check. That lock may be dead too.
 */
async function claim(name: string, own: string): Promise<void> {
  if (await linked(own, name)) return;
  const text = await textOf(name);
  await refuseLive(name, text);
  if (text === null) return claim(name, own);
  const guard = `${name}.takeover`;
  await claim(guard, own);
  const now = await textOf(name);
  // This takes the lock and releases the guard in one step.
  if (now !== null && (await holderOf(now)) === null) return rename(guard, name);
  await rm(guard);
  await claim(name, own);
}

/**
 * Writes a record beside the lock under a unique name. Processes of two containers may look the same:
 * then one of them finds the name taken.
 */
async function writeOwn(file: string, record: LockRecord, text: string): Promise<string> {
  const { bootId, pid, processStart } = record;
  for (let attempt = 0; ; attempt++) {
    const own = `${file}.${bootId}.${pid}.${processStart}.${attempt}${PARTIAL}`;
    try {
      await writeFile(own, text, { flag: 'wx' });
      return own;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      await rm(own, { force: true });
      throw error;
    }
  }
}

function isLeftover(name: string): boolean {
  return name.startsWith(LOCK_FILE) && name.endsWith(PARTIAL);
}

/** Whether the name was free; true for one of several processes that link it. */
async function linked(own: string, name: string): Promise<boolean> {
  try {
    await link(own, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Text of a lock; null without one, empty for a broken link. */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const status = await lstat(file).catch(() => null);
    return status?.isSymbolicLink() ? '' : null;
  }
}

/** The record of a lock whose process is running, as far as this machine can know. */
async function holderOf(text: string | null): Promise<LockRecord | null> {
  const record = text === null ? null : parseRecord(text);
  return record !== null && (await lives(record)) ? record : null;
}

/** Null for a damaged lock: locks are written whole, so the machine crashed. */
function parseRecord(text: string): LockRecord | null {
  let record: Partial<LockRecord> | null;
  try {
    record = JSON.parse(text) as Partial<LockRecord> | null;
  } catch {
    return null;
  }
  const { pid, processStart, bootId, host, command, time } = record ?? {};
  const texts = [processStart, bootId, host, command, time];
  const isWhole = Number.isSafeInteger(pid) && texts.every((each) => typeof each === 'string');
  return isWhole ? (record as LockRecord) : null;
}

async function lives({ host, bootId, pid, processStart }: LockRecord): Promise<boolean> {
  if (host !== hostname()) return true;
  return bootId === (await currentBoot()) && processStart === (await processStartOf(pid));
}

async function thisProcess(): Promise<Omit<LockRecord, 'command' | 'time'>> {
  const { pid } = process;
  const [processStart, bootId] = await Promise.all([processStartOf(pid), currentBoot()]);
  return { pid, processStart: processStart ?? '', bootId, host: hostname() };
}

async function currentBoot(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

async function processStartOf(pid: number): Promise<string | null> {
  return (await findProcess(pid))?.start ?? null;
}

async function refuseLive(file: string, text: string | null): Promise<void> {
  const holder = await holderOf(text);
  if (holder === null) return;
  const { pid, host, command, time } = holder;
  const isHere = host === hostname();
  throw new TrialError('FOLDER_IN_USE', {
    where: file,
    wanted: 'a folder that no other search writes to',
    found: `process ${pid} of ${isHere ? 'this machine' : host} since ${time}: ${command}`,
    next: isHere
      ? `Wait for it, stop it with "kill ${pid}", or name another folder`
      : `Wait for it or name another folder; if ${host} does not run it any more, delete the file`,
  });
}
