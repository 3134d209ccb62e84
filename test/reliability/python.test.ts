import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/foundation/logger.ts';
import type { NamedArray } from '../../src/foundation/named-arrays.ts';
import { encodeSafetensors } from '../../src/run-folder/checkpoint/safetensors.ts';
import { newestCheckpoint } from '../../src/run-folder/checkpoint/store.ts';
import { writeTinySearch } from '../e2e/support.ts';

/** Prints name, type, shape and digest of the numbers of every array of a file. */
const READ_IN_PYTHON = `
import hashlib, json, sys
from safetensors.numpy import load_file
print(json.dumps([
    [name, str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    for name, array in sorted(load_file(sys.argv[1]).items())
]))
`;

type Description = readonly [name: string, type: string, shape: readonly number[], digest: string];

function readInPython(file: string): Description[] {
  const output = execFileSync('.python/bin/python', ['-c', READ_IN_PYTHON, file], {
    encoding: 'utf8',
  });
  return JSON.parse(output) as Description[];
}

/** What Python has to say of arrays. */
function described(arrays: readonly NamedArray[]): Description[] {
  return arrays
    .map(({ name, shape, values }): Description => {
      const type = values instanceof Float64Array ? 'float64' : 'float32';
      return [name, type, shape, createHash('sha256').update(values).digest('hex')];
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe('the checkpoint of a search', () => {
  it(
    'opens in Python with the safetensors package: the same names, types, shapes and numbers',
    { timeout: 300_000 },
    async (t) => {
      const { folder, config } = await writeTinySearch({
        epochs: 2,
        warmupEpochs: 0,
        output: 'out',
      });
      t.after(() => {
        rmSync(folder, { recursive: true });
      });
      execFileSync(process.execPath, ['dist/cli/main.js', 'search', '-c', config], {
        stdio: 'pipe',
      });
      const checkpoint = await newestCheckpoint(join(folder, 'out'), silentLogger);
      const { file, manifest, snapshot } = checkpoint!;
      const arrays = join(dirname(file), manifest.arrays.file);
      const read = readInPython(arrays);
      assert.deepEqual(read, described(snapshot.arrays));
      const typesOf = (start: string): Set<unknown> =>
        new Set(read.filter(([name]) => name.startsWith(start)).map(([, type]) => type));
      assert.deepEqual(typesOf('weight/'), new Set(['float32']));
      assert.deepEqual(typesOf('algorithm/meta/'), new Set(['float64']));
      assert.ok(typesOf('algorithm/board/').has('float32'), 'the board is not empty');
    },
  );

  it('gives Python the very numbers that were written, float64 included', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nni-cream-python-'));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const file = join(folder, 'numbers.safetensors');
    const numbers = [Math.PI, -0, 1e-300, Number.MAX_VALUE, 1 / 3, 7];
    const singles = new Float32Array(numbers.map((number) => Math.min(number, 1e38)));
    const arrays = [
      { name: 'double', shape: [3, 2], values: new Float64Array(numbers) },
      { name: 'single', shape: [6], values: singles },
    ];
    writeFileSync(file, encodeSafetensors(arrays));
    assert.deepEqual(readInPython(file), described(arrays));
  });
});
