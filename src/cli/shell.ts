import type { Logger } from '../foundation/logger.ts';
import type { Host } from '../trial/entry.ts';

/** What a command gets from its process. */
export interface Shell {
  readonly host: Host;
  /** The command that starts this program, without arguments. */
  readonly self: readonly [string, ...string[]];
  /** Ends this process when the one that runs it for itself is gone. */
  endWithParent(): void;
  /** Writes to stderr. */
  readonly logger: Logger;
  /** Terminal that a progress bar is drawn on; null where there is none. */
  readonly terminal: NodeJS.WriteStream | null;
  /** Writes a text to stdout. */
  print(text: string): void;
  printJson(value: unknown): void;
  /** Sets the exit code of a failure. */
  fail(): void;
  /** Ends the process after some milliseconds, even if work is pending. */
  exitAfter(ms: number): void;
}
