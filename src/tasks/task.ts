/** What a task is given from outside, whatever it does. */

import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import type { TrialIdentity } from '../foundation/trial-identity.ts';
import type { PresentPolicy } from '../run-folder/output.ts';
import type { Emit } from '../training/events.ts';
import type { MemoryReadings } from './memory.ts';

/** What one run is asked for. */
export interface TaskRequest {
  /** Path of the config file. */
  readonly configFile: string;
  /** Values of the tuner, by dotted config key. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Values of the command line, by dotted config key; they win. */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** Folder of the results, before the config's; made if it is missing. */
  readonly output?: string | undefined;
  /** What is done with what the folder holds. */
  readonly present: PresentPolicy;
}

/** The process that a task runs in. */
export interface TaskHost {
  readonly identity: TrialIdentity;
  /** Opens the way to NNI and to the person who watches, once the folder is this run's own. */
  readonly connect: (output: string) => Promise<Connection>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly now: () => Date;
  /** The process's own variables: the native library reads its settings from there. */
  readonly variables: Record<string, string | undefined>;
  readonly memory: MemoryReadings;
  readonly shutdown: Ending;
}

/** How the process comes to its end. */
export interface Ending {
  /** Ends the run between two pieces of work. */
  readonly signal: AbortSignal;
  /** Leaves signals to their default action from now on, which ends the process at once. */
  leaveSignals(): void;
}

/** Where a task's events go. */
export interface Connection {
  readonly emit: Emit;
  /** Waits until all metrics have arrived. @throws TrialError METRICS_UNDELIVERED */
  settle(): Promise<void>;
  /** Ends the delivery; afterwards the folder may be another process's. */
  close(): Promise<void>;
}
