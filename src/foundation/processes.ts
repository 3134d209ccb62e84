/** Processes of this machine, from `/proc`. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A running process. */
export interface LiveProcess {
  readonly pid: number;
  /** Process id of its parent. */
  readonly parent: number;
  /** Clock ticks from boot to its start: distinguishes reused ids. */
  readonly start: string;
}

/**
 * Looks up a process; null if it has ended, even if not reaped yet.
 *
 * @param root - Path of `/proc`.
 */
export async function findProcess(pid: number, root = '/proc'): Promise<LiveProcess | null> {
  const stat = await readFile(join(root, String(pid), 'stat'), 'utf8').catch(nullIfGone);
  // Field 2 is the program's name in brackets and may itself hold spaces and brackets.
  const [state, ...later] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const [parent, start] = [later[0], later[18]];
  if (parent === undefined || start === undefined || state === 'Z' || state === 'X') return null;
  return { pid, parent: Number(parent), start };
}

/** Initial environment of a process, as `NAME=value`; null if it may not be read. */
export async function startVariables(pid: number, root = '/proc'): Promise<string[] | null> {
  const text = await readFile(join(root, String(pid), 'environ'), 'utf8').catch(nullIfHidden);
  return text?.split('\0') ?? null;
}

function nullIfHidden(error: NodeJS.ErrnoException): null {
  if (error.code === 'EACCES' || error.code === 'EPERM') return null;
  throw error;
}

/** A file that cannot be opened for another reason, such as too many open ones, proves no end. */
function nullIfGone(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
  throw error;
}
