import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { SearchResult } from '../../src/generated/result.ts';
import { writeTinySearch } from './support.ts';

describe('nni-cream search', () => {
  it(
    'runs without NNI and prints the result that it also writes',
    { timeout: 300_000 },
    async (t) => {
      const { folder, config } = await writeTinySearch({ output: 'result' });
      t.after(() => {
        rmSync(folder, { recursive: true });
      });
      const run = spawnSync(
        process.execPath,
        ['dist/cli/main.js', 'search', '--config', config, '--json'],
        { encoding: 'utf8' },
      );
      assert.equal(run.status, 0, run.stderr);
      const printed = JSON.parse(run.stdout) as SearchResult;
      const written: unknown = JSON.parse(readFileSync(join(folder, 'result/result.json'), 'utf8'));
      assert.deepEqual(printed, written);
      assert.equal(printed.provenance.experimentId, 'STANDALONE');
      assert.deepEqual(Object.keys(printed.best.sample), ['a', 'b', 'c']);
    },
  );
});
