/** A process that waits for a signal: `node --import tsx signal-script.ts quick|stuck FILE`. */
import { appendFile } from 'node:fs/promises';
import { systemTimers } from '../../src/cli/system.ts';
import type { Logger } from '../../src/foundation/logger.ts';
import { installSignalHandlers } from '../../src/trial/process/shutdown.ts';

const [mode, path] = process.argv.slice(2);
const logger: Logger = {
  log: (level, message) => {
    console.error(`${level} ${message}`);
  },
};
const shutdown = installSignalHandlers(process, {
  logger,
  timers: systemTimers,
  hasTerminal: true,
});
shutdown.onShutdown(() => Promise.reject(new Error('first clean-up broke')));
shutdown.onShutdown(async () => {
  await appendFile(path!, `cleaned, aborted ${String(shutdown.signal.aborted)}\n`);
});
if (mode === 'stuck') shutdown.onShutdown(() => new Promise(() => undefined));
setInterval(() => undefined, 1000);
console.log('ready');
