/** What this process has of its own, such as time. All other files get it as parameters. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Timers } from '../foundation/timers.ts';

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
