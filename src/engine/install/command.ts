import { spawn } from 'node:child_process';

/** Output of a finished command. */
export interface CommandResult {
  /** Exit status; `undefined` when the command could not be started or was killed. */
  readonly status: number | undefined;
  /** Standard output and standard error together, or why the command could not be started. */
  readonly output: string;
  /** Whether there is no such command. */
  readonly notFound: boolean;
}

/** Runs a command to its end without a shell; a failure is a result, not an exception. */
export function runCommand(command: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve) => {
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ status: undefined, output: error.message, notFound: error.code === 'ENOENT' });
    });
    child.once('close', (status) => {
      resolve({ status: status ?? undefined, output, notFound: false });
    });
  });
}

/** Last lines of a command's output, for the `found` part of a complaint. */
export function lastLines(output: string, count = 6): string {
  return output.trim().split('\n').slice(-count).join(' | ');
}
