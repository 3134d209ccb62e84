import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

/** Draws one sample from each search space file with NNI's own tuner. */
const SAMPLE = `
import json, sys
from nni.algorithms.hpo.random_tuner import RandomTuner
def sample(file):
    tuner = RandomTuner(seed=1)
    tuner.update_search_space(json.load(open(file)))
    return tuner.generate_parameters(0)
print(json.dumps([sample(file) for file in sys.argv[1:]]))
`;

type Space = Readonly<Record<string, { readonly _type: string; readonly _value: unknown[] }>>;

const readSpace = (file: string): Space => JSON.parse(readFileSync(file, 'utf8')) as Space;

/** All shipped files of NNI's form: labels with `_type` and nothing else. */
function shippedSpaces(): string[] {
  return readdirSync('nni-config', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => join('nni-config', name))
    .filter((file) => Object.values(readSpace(file)).some((entry) => '_type' in Object(entry)));
}

describe("NNI's Random tuner", () => {
  it('draws a value for every label of every shipped search space', () => {
    const files = shippedSpaces();
    assert.ok(files.includes('nni-config/search_space.json'));
    const run = spawnSync('.python/bin/python', ['-c', SAMPLE, ...files], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    // NNI logs to stdout too; ours is the last line.
    const samples = JSON.parse(run.stdout.trim().split('\n').at(-1)!) as Record<string, unknown>[];
    files.forEach((file, i) => {
      const space = readSpace(file);
      const sample = samples[i]!;
      assert.deepEqual(Object.keys(sample).sort(), Object.keys(space).sort(), file);
      for (const [label, value] of Object.entries(sample)) {
        assert.ok(space[label]?._value.includes(value), `${file}: ${label} is ${String(value)}`);
      }
    });
  });
});
