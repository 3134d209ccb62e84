import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../foundation/errors.ts';
import type { Logger, LogLevel } from '../foundation/logger.ts';

/** Where log lines go. */
export interface TrialLogOptions {
  /** NNI_OUTPUT_DIR, whose `trial.log` NNI's web UI shows; null for no file. */
  readonly directory: string | null;
  /** Gets the same lines; `process.stderr`, or a recorder in a test; null for the file alone. */
  readonly mirror: { write(text: string): unknown } | null;
  readonly now: () => Date;
}

/**
 * Log in the format of NNI's own trials. Lines are appended at once, so that those of a trial that
 * dies are there. When the file cannot be written, the mirror is told once and goes on alone.
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
