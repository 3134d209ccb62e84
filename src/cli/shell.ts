import type { Logger } from '../foundation/logger.ts';
import type { Host } from '../trial/entry.ts';

/** What commands are given of the process that they run in. */
export interface Shell {
  readonly host: Host;
  /** Says on stderr what goes on. */
  readonly logger: Logger;
  /** Terminal that a progress bar is drawn on; null where there is none. */
  readonly terminal: NodeJS.WriteStream | null;
  /** Writes a text to stdout. */
  print(text: string): void;
  printJson(value: unknown): void;
  /** Makes the exit code that of a failure. */
  fail(): void;
  /** Ends the process after so many milliseconds, whatever still keeps it. */
  exitAfter(ms: number): void;
}
