/** Watches the memory of a long run, and warns once before the system kills it silently. */

import type { Logger } from '../foundation/logger.ts';
import type { Emit } from '../training/events.ts';
import type { TrainingPlan } from '../training/plan.ts';
import type { SearchState } from '../training/state.ts';

/** Memory of this process, bytes. */
export interface MemoryReadings {
  /** Resident memory. */
  readonly resident: () => number;
  /** Peak of resident memory. */
  readonly peak: () => number;
  /** Limit: that of the control group, or the machine's memory. */
  readonly allowed: () => number;
}

/** Memory of a process at one moment. */
export interface MemoryUse {
  /** Live tensors outside the search's state. */
  readonly looseTensors: number;
  /** Resident memory. */
  readonly rssBytes: number;
  /** Whether every kind of work has been done once, so that memory should not grow. */
  readonly isSettled: boolean;
}

/** Loose tensors above the minimum; constants of first uses stay below this. */
const LEAKED_TENSORS = 100;

/** Share of the memory limit above which a run is in danger. */
const DANGER = 0.9;

/**
 * Growth of settled resident memory that counts as a leak. The allocator's free lists grew by 39 %
 * within the first seven minutes of a search that stayed flat afterwards.
 */
const GROWTH = 1.6;

const LESS_MEMORY = 'lower batchSize in the trial config or imageSize in the skeleton';
const AFTERWARDS = 'a search that ends here goes on from its last checkpoint';

/** Part of the batch for a trial step. */
const TRIED_SHARE = 1 / 8;

/**
 * Tries a step with a part of the batch, and warns if the whole batch needs more memory than there is:
 * the system would kill the process silently.
 *
 * @param step - Takes a step with so many images.
 */
export async function warnOfLargeStep(
  step: (images: number) => Promise<void>,
  { batchSize, memory, logger }: { batchSize: number; memory: MemoryReadings; logger: Logger },
): Promise<void> {
  const images = Math.max(1, Math.round(TRIED_SHARE * batchSize));
  await step(1); // the fixed memory of a first step does not grow with the batch
  const [before, peakBefore] = [memory.resident(), memory.peak()];
  await step(images);
  const [peak, allowedBytes] = [memory.peak(), memory.allowed()];
  // An earlier peak says nothing about the step.
  if (peak === peakBefore) return;
  const expected = before + (batchSize / images) * (peak - before);
  if (expected < DANGER * allowedBytes) return;
  logger.log(
    'warning',
    `a step may need ${gib(expected)} of the ${gib(allowedBytes)} of memory allowed, and the system then ends this process without a word: ${LESS_MEMORY}`,
  );
}

/** Warns once of each: tensors that leak, memory that runs out, memory that grows. */
export class MemoryWatchdog {
  readonly #logger: Logger;
  readonly #allowedBytes: number;
  readonly #warned = new Set<string>();
  #fewestTensors = Infinity;
  #settledBytes = 0;

  constructor(logger: Logger, allowedBytes: number) {
    this.#logger = logger;
    this.#allowedBytes = allowedBytes;
  }

  /** Call this after every step. */
  check({ looseTensors, rssBytes, isSettled }: MemoryUse): void {
    this.#fewestTensors = Math.min(this.#fewestTensors, looseTensors);
    const leaked = looseTensors - this.#fewestTensors;
    if (leaked > LEAKED_TENSORS) {
      this.#warn(
        'leak',
        `${leaked} tensors leaked (${looseTensors} beside the search's state): a defect, please report it; ${AFTERWARDS}`,
      );
    }
    if (rssBytes > DANGER * this.#allowedBytes) {
      const share = Math.round((100 * rssBytes) / this.#allowedBytes);
      this.#warn(
        'danger',
        `${gib(rssBytes)} of memory in use, ${share} % of the ${gib(this.#allowedBytes)} allowed: ${LESS_MEMORY}; ${AFTERWARDS}`,
      );
    }
    if (!isSettled) this.#settledBytes = Math.max(this.#settledBytes, rssBytes);
    else if (rssBytes > GROWTH * this.#settledBytes) {
      this.#warn(
        'growth',
        `memory in use grew from ${gib(this.#settledBytes)} to ${gib(rssBytes)} although each kind of work had been done before: watch it; ${AFTERWARDS}`,
      );
    }
  }

  #warn(what: string, message: string): void {
    if (this.#warned.has(what)) return;
    this.#warned.add(what);
    this.#logger.log('warning', message);
  }
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/** Checks the memory at every step, and logs it at the start of each epoch. */
export function memoryWatch(
  start: SearchState,
  plan: TrainingPlan,
  { memory, logger }: { memory: MemoryReadings; logger: Logger },
): Emit {
  const watchdog = new MemoryWatchdog(logger, memory.allowed());
  return (event) => {
    if (event.kind !== 'step') return;
    const { supernet, tally, step, reports } = event.state;
    const tensors = supernet.engine.tensorCount();
    const looseTensors = tensors - supernet.tensorCount();
    const rssBytes = memory.resident();
    // By then this process has done every kind of work, including rankings and teachers.
    const isSettled = reports.length > start.reports.length && 2 * step > plan.totalSteps;
    watchdog.check({ looseTensors, rssBytes, isSettled });
    if (tally.steps !== 1) return;
    const mib = (rssBytes / 2 ** 20).toFixed(0);
    logger.log('info', `memory: ${mib} MiB, ${tensors} tensors, ${looseTensors} beside the state`);
  };
}
