import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitHeldOut } from '../../src/data/stream/held-out.ts';
import { TrialError } from '../../src/foundation/errors.ts';
import { createRng } from '../../src/foundation/rng.ts';
import { createMetaNetwork } from '../../src/algorithms/cream/meta-network.ts';
import { applyParameters, parseTrialConfig } from '../../src/tasks/config.ts';
import { nativeEngine } from '../support/engine.ts';
import { tinySupernet } from '../support/tiny.ts';

const FILE = { skeleton: 's', space: 'n', data: { path: 'd' }, epochs: 1, batchSize: 2 };

function parse(changes: object) {
  return parseTrialConfig(JSON.stringify({ ...FILE, ...changes }), '/search/trial.json');
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof TrialError && error.code === 'CONFIG_INVALID' && error.message.includes('seed')
  );
}

const engine = await nativeEngine();

/** Everything that is drawn before a search begins. */
function drawn(seed: number) {
  const supernet = tinySupernet(engine, seed);
  const weights = supernet.parameters.map(({ value }) => [...engine.read(value)]);
  supernet.dispose();
  return {
    weights,
    meta: createMetaNetwork(12, seed).weight,
    split: splitHeldOut(new Int32Array(600), { seed }),
    first: createRng({ seed, stream: 'path', step: 0 }).uint32(),
  };
}

describe('the seed', () => {
  it('is 0 where none is given, which is a seed like any other', () => {
    assert.equal(parse({}).seed, 0);
    assert.equal(parse({ seed: 0 }).seed, 0);
    const [first, second, other] = [drawn(0), drawn(0), drawn(1)];
    assert.deepEqual(second, first);
    for (const part of ['weights', 'meta', 'split', 'first'] as const) {
      assert.notDeepEqual(other[part], first[part], part);
    }
  });

  it('is a number: a text, a fraction, a negative one and null are refused', () => {
    for (const seed of ['0', '', 0.5, -1, null, true, 2 ** 60]) {
      assert.throws(() => parse({ seed }), isRefusal, JSON.stringify(seed));
      assert.throws(() => applyParameters(parse({}), { seed }, []), isRefusal);
    }
  });

  it("0 as the tuner's value takes the place of the file's", () => {
    assert.equal(applyParameters(parse({ seed: 7 }), { seed: 0 }, []).seed, 0);
  });
});
