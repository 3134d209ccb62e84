/** The real timers and memory readings. All other files get them as parameters. */

import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Timers } from '../foundation/timers.ts';
import type { MemoryReadings } from '../tasks/memory.ts';

/** The machine's timers. */
export const systemTimers: Timers = {
  sleep: (ms, options) => sleep(ms, undefined, options),
  every: (ms, work) => {
    const timer = setInterval(work, ms);
    return () => {
      clearInterval(timer);
    };
  },
  timeout: (ms) => AbortSignal.timeout(ms),
};

/** The machine's memory. */
export const systemMemory: MemoryReadings = {
  resident: () => process.memoryUsage.rss(),
  peak: () => 1024 * process.resourceUsage().maxRSS,
  allowed: () => {
    const constrained = process.constrainedMemory(); // without a limit: 0, or far too much
    return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  },
};
