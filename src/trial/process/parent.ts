/**
 * Notices that the processes above a trial have ended. NNI stops a trial through the process that
 * it started: where a shell stands between (`cd … && node …; echo`) only the shell is killed, and
 * a manager that dies tells nobody. The trial would go on for ever, unseen.
 */

import type { Timers } from '../../foundation/timers.ts';
import { findProcess, type LiveProcess, startVariables } from '../../foundation/processes.ts';

/** Whom to look for, and what to do. */
export interface ParentWatchOptions {
  /** `NNI_TRIAL_JOB_ID`. NNI gives it to the trial's command alone: the manager has not got it. */
  readonly trialJobId: string;
  /** Process id of our own parent. */
  readonly parent: number;
  /** Called once, with who has ended. */
  readonly onGone: (who: string) => void;
  readonly timers: Timers;
  /** Where `/proc` is. */
  readonly root?: string;
  readonly intervalMs?: number;
}

/** Looks about once a second whether our parent and NNI's manager live; gives the way to stop it. */
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
    // A look that fails tells nothing: the next one may not.
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
  /** As of a {@link LiveProcess}; null for one that was gone before it was looked at. */
  readonly start: string | null;
}

/** Our parent, and the first above it that is no part of the trial's command. */
async function findWatched(
  { trialJobId, parent }: { trialJobId: string; parent: number },
  root: string,
): Promise<Watched[]> {
  const own = `NNI_TRIAL_JOB_ID=${trialJobId}`;
  const found: Watched[] = [];
  let next = await findProcess(parent, root);
  // 0 stands for one outside of this container, which cannot be seen.
  if (next === null && parent !== 0) found.push({ pid: parent, start: null, who: PARENT });
  while (next !== null) {
    const variables = await startVariables(next.pid, root);
    const isManager = variables !== null && !variables.includes(own);
    const who = isManager ? "NNI's manager" : PARENT;
    if (isManager || next.pid === parent) found.push({ pid: next.pid, start: next.start, who });
    // Without a look at the variables nobody knows where the trial's command ends.
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
