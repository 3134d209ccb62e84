/**
 * Notices the end of the processes above a trial. NNI stops a trial through the process that it
 * started. If that is a shell (`cd … && node …; echo`), NNI kills only the shell; and a manager that
 * dies stops no trial. The trial would run for ever, unseen.
 */

import type { Timers } from '../../foundation/timers.ts';
import { findProcess, type LiveProcess, startVariables } from '../../foundation/processes.ts';

/** The processes to watch, and the reaction. */
export interface ParentWatchOptions {
  /** `NNI_TRIAL_JOB_ID`. Only the trial's command has this variable, not the manager. */
  readonly trialJobId: string;
  /** Process id of our own parent. */
  readonly parent: number;
  /** Called once, with the name of the ended process. */
  readonly onGone: (who: string) => void;
  readonly timers: Timers;
  /** Path of `/proc`. */
  readonly root?: string;
  readonly intervalMs?: number;
}

/** Checks about once a second that our parent and NNI's manager live. Returns a function that stops it. */
export function watchParents({
  root = '/proc',
  intervalMs = 1000,
  onGone,
  timers,
  ...self
}: ParentWatchOptions): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  let watched: readonly Watched[] | undefined;
  const whoIsGone = async (): Promise<string | null> => {
    watched ??= await findWatched(self, root);
    return firstGone(watched, root);
  };
  const watch = async (): Promise<void> => {
    // A failed check says nothing; the next one may succeed.
    const gone = await whoIsGone().catch(() => null);
    if (gone === null)
      await timers.sleep(intervalMs, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    if (gone === null) await watch();
    else onGone(gone);
  };
  void watch();
  return () => {
    stopped.abort();
  };
}

const PARENT = 'the parent process';

interface Watched extends Pick<LiveProcess, 'pid'> {
  readonly who: string;
  /** As of a {@link LiveProcess}; null if it ended before the first check. */
  readonly start: string | null;
}

/** Our parent, and the first ancestor outside the trial's command. */
async function findWatched(
  { trialJobId, parent }: { trialJobId: string; parent: number },
  root: string,
): Promise<Watched[]> {
  const own = `NNI_TRIAL_JOB_ID=${trialJobId}`;
  const found: Watched[] = [];
  let next = await findProcess(parent, root);
  // 0 is a process outside this container, which is invisible.
  if (next === null && parent !== 0) found.push({ pid: parent, start: null, who: PARENT });
  while (next !== null) {
    const variables = await startVariables(next.pid, root);
    const isManager = variables !== null && !variables.includes(own);
    const who = isManager ? "NNI's manager" : PARENT;
    if (isManager || next.pid === parent) found.push({ pid: next.pid, start: next.start, who });
    // Only the variables tell where the trial's command ends.
    if (isManager || variables === null) break;
    next = await findProcess(next.parent, root);
  }
  return found;
}

async function firstGone(watched: readonly Watched[], root: string): Promise<string | null> {
  for (const { pid, start, who } of watched) {
    const now = await findProcess(pid, root);
    if (now?.start !== start) return `${who} (${pid})`;
  }
  return null;
}
