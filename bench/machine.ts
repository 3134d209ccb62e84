/** Whether the machine does anything else than the benchmark. */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** Share of the processors that others may have used beside a block that counts. */
const TOLERANCE = 0.05;

/** Attempts at one block before the machine is declared too busy. */
const ATTEMPTS = 20;

const TICKS_PER_SECOND = 100;

/** Processor seconds since start-up, summed over all processors. */
interface ProcessorTime {
  readonly busy: number;
  readonly total: number;
}

/**
 * Runs a block when nothing else runs, and again when something else ran beside it.
 *
 * @param run - Returns the processor seconds that it used itself.
 */
export async function undisturbed<T extends { cpuSeconds: number }>(run: () => T): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await quiet();
    const before = processorTime();
    const result = run();
    const after = processorTime();
    const others = after.busy - before.busy - result.cpuSeconds;
    if (others / (after.total - before.total) < TOLERANCE) return result;
    console.error(`other processes used ${others.toFixed(1)} s beside this block: repeated`);
  }
  throw new Error('the machine has other work to do');
}

/** Waits until the processors have been idle for two seconds. */
async function quiet(): Promise<void> {
  for (;;) {
    const before = processorTime();
    await setTimeout(2000);
    const after = processorTime();
    if ((after.busy - before.busy) / (after.total - before.total) < TOLERANCE) return;
  }
}

/** First line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
function processorTime(): ProcessorTime {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
  return { busy: (total - idle) / TICKS_PER_SECOND, total: total / TICKS_PER_SECOND };
}
