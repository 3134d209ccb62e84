import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, it } from 'node:test';
import type { Logger } from '../../src/foundation/logger.ts';
import {
  MemoryWatchdog,
  allowedMemory,
  type MemoryUse,
  warnOfLargeStep,
} from '../../src/tasks/memory.ts';
import { recordingLogger } from '../support/nni.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const calm: MemoryUse = { looseTensors: 40, rssBytes: GIB, isSettled: false };

/** What a watchdog with 8 GiB says about uses that differ from a calm one. */
function warnings(uses: readonly Partial<MemoryUse>[]): string[] {
  const lines: string[] = [];
  const logger: Logger = { log: (level, message) => void lines.push(`${level}: ${message}`) };
  const watchdog = new MemoryWatchdog(logger, 8 * GIB);
  for (const use of uses) watchdog.check({ ...calm, ...use });
  return lines;
}

describe('MemoryWatchdog', () => {
  it('R18: says once that tensors leak, and how many', () => {
    const leaking = Array.from({ length: 300 }, (_, step) => ({ looseTensors: 40 + step }));
    const lines = warnings(leaking);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^warning: 101 tensors leaked \(141 beside/);
  });

  it('R18: is silent about constants that a first use makes', () => {
    assert.deepEqual(warnings([{}, { looseTensors: 140 }, { looseTensors: 90 }]), []);
  });

  it('says once that nine tenths of the allowed memory are in use, and which settings to change', () => {
    const lines = warnings([{ rssBytes: 7.1 * GIB }, { rssBytes: 7.6 * GIB }, { rssBytes: 7.7 * GIB }]); // prettier-ignore
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /7\.60 GiB .* 95 % of the 8\.00 GiB .*batchSize .*imageSize/);
  });

  it('says once that memory grew by more than a fifth of its peak before it had settled', () => {
    const early = [{ rssBytes: GIB / 2 }, { rssBytes: 2 * GIB }, { rssBytes: GIB }];
    const late = [3.2, 3.3, 4].map((size) => ({ rssBytes: size * GIB, isSettled: true }));
    assert.deepEqual(warnings([...early, ...late.slice(0, 1)]), []);
    const lines = warnings([...early, ...late]);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /grew from 2\.00 GiB to 3\.30 GiB/);
  });
});

describe('allowedMemory', () => {
  it('is a number of bytes, never more than the machine has', () => {
    assert.ok(allowedMemory() > 2 ** 20 && allowedMemory() <= totalmem());
  });
});

describe('warnOfLargeStep', () => {
  // Until the end: what is taken again after it was freed moves no peak.
  const kept: Buffer[] = [];
  const warningsWith = async (allowedBytes: number): Promise<string[]> => {
    const logger = recordingLogger();
    let peak = 0;
    const step = (images: number): Promise<void> => {
      peak = process.resourceUsage().maxRSS;
      // Pages that are not written to take no memory.
      kept.push(Buffer.alloc(images * MIB, 1));
      return Promise.resolve();
    };
    await warnOfLargeStep(step, { batchSize: 2400, allowedBytes, logger });
    assert.equal(kept.at(-1)?.length, 300 * MIB);
    assert.ok(process.resourceUsage().maxRSS > peak);
    return logger.lines;
  };

  it('warns of a step that needs more than there is, before it is taken', async () => {
    const lines = await warningsWith(process.memoryUsage.rss() + 1000 * MIB);
    assert.match(lines.join(), /^warning a step may need \d\.\d\d GiB .*lower batchSize/);
  });

  it('says nothing of one that fits', async () => {
    assert.deepEqual(await warningsWith(process.memoryUsage.rss() + 10_000 * MIB), []);
  });
});
