import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { random } from '../../../src/algorithms/random/random.ts';
import { spos } from '../../../src/algorithms/spos/spos.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Supernet } from '../../../src/supernet/supernet.ts';
import { nativeEngine } from '../../support/engine.ts';
import { idleSteps } from '../../support/idle-learner.ts';
import { tinySearch, tinySupernet } from '../../support/tiny.ts';

let engine: Engine;
let supernet: Supernet;

before(async () => {
  engine = await nativeEngine();
  supernet = tinySupernet(engine);
});
after(() => {
  supernet.dispose();
});

it('random search trains the paths that spos trains, and answers with the best of random ones', () => {
  const [ours, theirs] = [random, spos].map((each) =>
    idleSteps(tinySearch(each, { pathsPerStep: 2 }), supernet, 20).map(({ updates }) => updates),
  );
  assert.deepEqual(ours, theirs);
  assert.equal(random.selection, 'random');
});
