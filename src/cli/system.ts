/** What this process has of its own, such as time. All other files get it as parameters. */

import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Timers } from '../foundation/timers.ts';
import type { MemoryReadings } from '../tasks/memory.ts';

/** Time as the machine knows it. */
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

/** Memory as the machine knows it. */
export const systemMemory: MemoryReadings = {
  resident: () => process.memoryUsage.rss(),
  peak: () => 1024 * process.resourceUsage().maxRSS,
  allowed: () => {
    const constrained = process.constrainedMemory(); // 0, or far too much, where there is no limit
    return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  },
};
