import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, it } from 'node:test';
import type { Logger } from '../../src/foundation/logger.ts';
import { systemMemory } from '../../src/cli/system.ts';
import { MemoryWatchdog, type MemoryUse, warnOfLargeStep } from '../../src/tasks/memory.ts';
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
  it('says once that tensors leak, and how many', () => {
    const leaking = Array.from({ length: 300 }, (_, step) => ({ looseTensors: 40 + step }));
    const lines = warnings(leaking);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^warning: 101 tensors leaked \(141 beside/);
  });

  it('is silent about constants that a first use makes', () => {
    assert.deepEqual(warnings([{}, { looseTensors: 140 }, { looseTensors: 90 }]), []);
  });

  it('says once that nine tenths of the allowed memory are in use, and which settings to change', () => {
    const lines = warnings([{ rssBytes: 7.1 * GIB }, { rssBytes: 7.6 * GIB }, { rssBytes: 7.7 * GIB }]); // prettier-ignore
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /7\.60 GiB .* 95 % of the 8\.00 GiB .*batchSize .*imageSize/);
  });

  it('says once that memory grew to more than 1.6 times its peak before it had settled', () => {
    const early = [{ rssBytes: GIB / 2 }, { rssBytes: 2 * GIB }, { rssBytes: GIB }];
    const late = [3.2, 3.3, 4].map((size) => ({ rssBytes: size * GIB, isSettled: true }));
    assert.deepEqual(warnings([...early, ...late.slice(0, 1)]), []);
    const lines = warnings([...early, ...late]);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /grew from 2\.00 GiB to 3\.30 GiB/);
  });
});

describe('warnOfLargeStep', () => {
  const BATCH_SIZE = 2400;
  const TRIED = 300;

  /** Warnings where each image of a step takes a MiB beside the GiB that is there. */
  const warningsWith = async (allowed: number, peakBefore = GIB): Promise<string[]> => {
    const logger = recordingLogger();
    const tried: number[] = [];
    let peak = peakBefore;
    const step = (images: number): Promise<void> => {
      tried.push(images);
      peak = Math.max(peak, GIB + images * MIB);
      return Promise.resolve();
    };
    const memory = { resident: () => GIB, peak: () => peak, allowed: () => allowed };
    await warnOfLargeStep(step, { batchSize: BATCH_SIZE, memory, logger });
    assert.deepEqual(tried, [1, TRIED], 'never the whole batch');
    return logger.lines;
  };

  it('warns of a step that needs more than there is, before it is taken', async () => {
    const lines = await warningsWith(3.7 * GIB);
    assert.match(lines.join(), /^warning a step may need 3\.34 GiB of the 3\.70 .*lower batchSize/);
  });

  it('says nothing of one that fits', async () => {
    assert.deepEqual(await warningsWith(3.8 * GIB), []);
  });

  it('says nothing where a peak of earlier work hides what the step takes', async () => {
    assert.deepEqual(await warningsWith(GIB, 2 * GIB), []);
  });
});

describe('the memory of this process', () => {
  it('grows with what the process takes, and is less than it may use', () => {
    const { resident, peak, allowed } = systemMemory;
    const before = resident();
    const taken = Buffer.alloc(64 * MIB, 1); // pages that are not written to take no memory
    assert.ok(resident() >= before + taken.length / 2);
    assert.ok(peak() >= before + taken.length / 2);
    assert.ok(allowed() > resident() && allowed() <= totalmem());
  });
});
