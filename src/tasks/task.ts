/** What every task gets from outside. */

import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import type { TrialIdentity } from '../foundation/trial-identity.ts';
import type { PresentPolicy } from '../run-folder/output.ts';
import type { Emit } from '../training/events.ts';
import type { MemoryReadings } from './memory.ts';

/** The request for one run. */
export interface TaskRequest {
  /** Path of the config file. */
  readonly configFile: string;
  /** Values of the tuner, by dotted config key. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Values of the command line, by dotted config key; they take precedence. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Folder of the results; precedes the config's; created if missing. */
  readonly output?: string | undefined;
  /** How to treat existing content of the folder. */
  readonly present: PresentPolicy;
}

/** The process that a task runs in. */
export interface TaskHost {
  readonly identity: TrialIdentity;
  /** Connects to NNI and the progress display, once the folder is locked. */
  readonly connect: (output: string) => Promise<Connection>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly now: () => Date;
  /** Environment variables of the process, from which the native library reads its settings. */
  readonly variables: Record<string, string | undefined>;
  readonly memory: MemoryReadings;
  readonly shutdown: Ending;
}

/** The end of the process. */
export interface Ending {
  /** Ends the run between two pieces of work. */
  readonly signal: AbortSignal;
  /** Restores the signals' default action, which ends the process at once. */
  leaveSignals(): void;
}

/** Target of a task's events. */
export interface Connection {
  readonly emit: Emit;
  /** Waits until all metrics have arrived. @throws TrialError METRICS_UNDELIVERED */
  settle(): Promise<void>;
  /** Ends the delivery; afterwards another process may own the folder. */
  close(): Promise<void>;
}
