import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Engine } from '../../src/engine/engine.ts';
import { Statistics } from '../../src/supernet/statistics.ts';
import { nativeEngine } from '../support/engine.ts';

let engine: Engine;
let root: Statistics;

before(async () => {
  engine = await nativeEngine();
});
beforeEach(() => {
  root = new Statistics(engine);
  put(root, 'known', 1);
});
afterEach(() => {
  root.dispose();
});

/** Gives a batch norm of one channel a mean, and a variance of twice as much. */
function put(statistics: Statistics, name: string, mean: number): void {
  statistics.replace(name, {
    mean: engine.tensor(Float32Array.of(mean), [1]),
    variance: engine.tensor(Float32Array.of(2 * mean), [1]),
  });
}

function read(statistics: Statistics): [string, number, number][] {
  return statistics
    .entries()
    .map(([name, { mean, variance }]) => [name, engine.read(mean)[0]!, engine.read(variance)[0]!]);
}

describe('statistics', () => {
  it('are mean 0 and variance 1 of a batch norm that no image has met', () => {
    const { mean, variance } = root.of('new', 2);
    assert.deepEqual([...engine.read(mean), ...engine.read(variance)], [0, 0, 1, 1]);
  });

  it('are committed by a draft only: those that are no draft have nothing to commit', () => {
    assert.equal('commit' in root, false);
    assert.equal('commit' in root.draft(), true);
  });
});

describe('a draft of statistics', () => {
  it('sees what it was made from and keeps its own to itself', () => {
    const draft = root.draft();
    assert.deepEqual([...engine.read(draft.of('known', 1).mean)], [1]);
    put(draft, 'known', 5);
    put(draft, 'new', 7);
    assert.deepEqual([...engine.read(draft.of('known', 1).mean)], [5]);
    assert.deepEqual(read(root), [['known', 1, 2]]);
    draft.dispose();
    assert.deepEqual(read(root), [['known', 1, 2]]);
  });

  it('hands every moment over when it is committed, once, and frees those replaced', () => {
    const draft = root.draft();
    put(draft, 'known', 5);
    put(draft, 'new', 7);
    const tensors = engine.tensorCount();
    draft.commit();
    assert.equal(engine.tensorCount(), tensors - 2);
    const committed = [['known', 5, 10], ['new', 7, 14]]; // prettier-ignore
    assert.deepEqual(read(root), committed);
    assert.equal(draft.size, 0);
    draft.commit();
    draft.dispose();
    assert.deepEqual(read(root), committed);
  });

  it('goes on after a commit from what it committed', () => {
    const draft = root.draft();
    put(draft, 'known', 5);
    draft.commit();
    assert.deepEqual([...engine.read(draft.of('known', 1).mean)], [5]);
    put(draft, 'known', 6);
    draft.dispose();
    assert.deepEqual(read(root), [['known', 5, 10]]);
  });
});
