#!/usr/bin/env node
/** The command line: words to functions. Each command loads only what it needs. */

import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { TrialError, type ErrorCode } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Host } from '../trial/entry.ts';
import { addFileCommands } from './commands/files.ts';
import { addFolderCommands } from './commands/folders.ts';
import { addMachineCommands } from './commands/machine.ts';
import { addTaskCommands } from './commands/tasks.ts';
import { oneLine } from './one-line.ts';
import type { Shell } from './shell.ts';
import { systemMemory, systemTimers } from './system.ts';

const EXIT = { done: 0, failed: 1, usage: 2, undelivered: 3, defect: 70 } as const;

/** Documented errors with an exit code of their own. */
const EXIT_OF_CODE: Partial<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  METRICS_UNDELIVERED: EXIT.undelivered,
};

const EXIT_CODES_HELP = `
Exit codes: 0 done, 1 a documented error (docs/reference/errors.md), 2 wrong usage,
3 a task is done, but NNI does not have all of its metrics ("nni-cream replay"),
70 a defect. SIGINT and SIGTERM end the process by that signal (a shell shows 130, 143).`;

const isColoured = process.stderr.isTTY && process.env['NO_COLOR'] === undefined;

// A closed terminal refuses the last messages: the process must end by the signal, not by that error.
process.stderr.on('error', () => undefined);
// A reader of the output may end early: the search goes on. A full disk is a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`nni-cream: the output could not be written: ${error.message}\n`);
  process.exitCode = EXIT.failed;
});

const host: Host = {
  variables: process.env,
  stdout: process.stdout,
  // A log line replaces the progress bar on the terminal's last line.
  stderr: {
    isTTY: process.stderr.isTTY,
    write: (text) => process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : text),
  },
  process,
  clock: () => performance.now(),
  now: () => new Date(),
  timers: systemTimers,
  memory: systemMemory,
};

const logger: Logger = {
  log: (level, message) => {
    host.stderr.write(`${level === 'info' ? '' : `${level}: `}${message}\n`);
  },
};

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const shell: Shell = {
  host,
  logger,
  terminal: process.stderr.isTTY ? process.stderr : null,
  print,
  printJson: (value) => {
    print(JSON.stringify(value, null, 2));
  },
  fail: () => {
    process.exitCode = EXIT.failed;
  },
  exitAfter: (ms) => {
    setTimeout(() => process.exit(), ms).unref();
  },
};

const program = new Command('nni-cream')
  .description(
    'One-shot neural architecture search (Cream, SPOS, FairNAS, sandwich rule) as an NNI trial',
  )
  .version(packageFile.version)
  .addHelpText('after', EXIT_CODES_HELP)
  .exitOverride();

addTaskCommands(program, shell);
addFolderCommands(program, shell);
addFileCommands(program, shell);
addMachineCommands(program, shell);

function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  // A signal arrived: the process is about to end by it.
  if (thrown instanceof Error && thrown.name === 'AbortError') return EXIT.failed;
  if (!(thrown instanceof TrialError)) {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown);
    process.stderr.write(`nni-cream: defect: ${stack}\n`);
    return EXIT.defect;
  }
  const label = isColoured ? '\u001b[31merror\u001b[0m' : 'error';
  process.stderr.write(`nni-cream: ${label} ${thrown.code}: ${oneLine(thrown.message)}\n`);
  return EXIT_OF_CODE[thrown.code] ?? EXIT.failed;
}

try {
  await program.parseAsync();
} catch (thrown) {
  // Not process.exit: output that is still on its way must drain.
  process.exitCode = report(thrown);
}
