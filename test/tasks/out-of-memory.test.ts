import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { TrialError } from '../../src/foundation/errors.ts';
import { namingMemory } from '../../src/tasks/out-of-memory.ts';
import { ROOT } from '../support/spaces.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('namingMemory', () => {
  for (const [what, work] of [
    ['a buffer', () => new ArrayBuffer(2 ** 50)],
    ['an array of numbers', () => new Float32Array(2 ** 40)],
  ] as const) {
    it(`names the two settings where Node cannot make ${what}`, () => {
      const error = thrownBy(work);
      const named = namingMemory(error);
      assert.ok(named instanceof TrialError && named.code === 'MEMORY_EXHAUSTED');
      assert.match(named.message, /batchSize in the trial config or imageSize in the skeleton/);
      assert.equal(named.cause, error);
    });
  }

  it('leaves every other error as it is', () => {
    const own = new TrialError('DATA_INVALID', {
      where: 'OOM when allocating.jpg',
      wanted: 'an image',
      found: 'none',
      next: 'Remove it.',
    });
    const defect = thrownBy(() => new Float32Array(-1));
    for (const error of [own, defect, new Error('ENOENT'), 'text', undefined]) {
      assert.equal(namingMemory(error), error);
    }
  });

  it('names the two settings where the native engine meets a real limit of the process', async () => {
    const script = join(ROOT, 'test/support/memory-limit.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script]);
    assert.match(stdout, /^MEMORY_EXHAUSTED: .*OOM when allocating tensor.*batchSize.*imageSize/);
  });
});
