import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { TrialError } from '../foundation/errors.ts';
import type { Shell } from './shell.ts';

/** Signals that a person or a system ends programs by. */
const ENDS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command of this program in a process of its own, which has memory and a native library to
 * itself. It writes to this one's stderr, gets the signals that this one gets, and ends with it.
 *
 * @param what - What the process is for, in an error.
 * @throws TrialError STUDY_STOPPED when it fails; it has told why.
 */
export async function runChild(
  args: readonly string[],
  what: string,
  { host, self }: Pick<Shell, 'host' | 'self'>,
): Promise<void> {
  const [command, ...before] = self;
  const child = spawn(command, [...before, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // A terminal has told the child by itself: it takes the second one as a copy.
  const forward = (name: NodeJS.Signals): void => {
    child.kill(name);
  };
  for (const name of ENDS) host.process.on(name, forward);
  try {
    await once(child, 'exit');
  } finally {
    for (const name of ENDS) host.process.off(name, forward);
  }
  const { exitCode, signalCode } = child;
  if (exitCode === 0) return;
  if (signalCode !== null && ENDS.includes(signalCode)) {
    host.process.kill(host.process.pid, signalCode);
    throw new DOMException(`ended by ${signalCode}`, 'AbortError');
  }
  throw new TrialError('STUDY_STOPPED', {
    where: what,
    wanted: 'a task that ends well',
    found: signalCode === null ? 'the error above' : `an end by ${signalCode}`,
    next: 'Do what its error says, then give the same command: it goes on from here',
  });
}

/** Ends this process by SIGTERM when the one that runs it is gone. */
export function endWithParent(
  target: Pick<NodeJS.Process, 'on' | 'kill' | 'pid' | 'channel'>,
): void {
  target.on('disconnect', () => {
    target.kill(target.pid, 'SIGTERM');
  });
  target.channel?.unref();
}
