import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../foundation/errors.ts';
import type { Logger, LogLevel } from '../foundation/logger.ts';

/** Targets of log lines. */
export interface TrialLogOptions {
  /** NNI_OUTPUT_DIR: NNI's web UI shows its `trial.log`; null for no file. */
  readonly directory: string | null;
  /** Gets the same lines; `process.stderr`, or a recorder in a test; null for the file alone. */
  readonly mirror: { write(text: string): unknown } | null;
  readonly now: () => Date;
}

/**
 * A log in the format of NNI's own trials. Lines are appended at once, so that a crash loses none.
 * If the file cannot be written, the mirror says so once and continues alone.
 */
export function createTrialLog({ directory, mirror, now }: TrialLogOptions): Logger {
  let path = directory === null ? null : join(directory, 'trial.log');
  const write = (level: LogLevel, message: string): void => {
    const line = `[${timestamp(now())}] ${level.toUpperCase()} (nni-cream/MainThread) ${message}\n`;
    mirror?.write(line);
    if (path === null) return;
    try {
      appendFileSync(path, line);
    } catch (error) {
      path = null;
      write('warning', `no more lines in trial.log: ${messageOf(error)}`);
    }
  };
  return { log: write };
}

/** Local time as `2026-11-24 06:35:00`. */
function timestamp(time: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}
