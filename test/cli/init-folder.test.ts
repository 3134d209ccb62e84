import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { initExperiment } from '../../src/cli/init.ts';

describe('the folder of a new experiment', () => {
  it('is refused where the system makes none', { timeout: 20_000 }, async () => {
    for (const folder of ['/proc/x', '/proc/x/y', '/dev/null/x']) {
      await assert.rejects(initExperiment({ folder, data: 'images' }), { code: 'FILE_UNWRITABLE' });
    }
  });
});
