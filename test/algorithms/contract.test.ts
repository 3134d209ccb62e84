import { ALGORITHMS } from '../../src/algorithms/registry.ts';
import { describeAlgorithm, type ShortRun } from '../contract/algorithm.ts';

/** Several paths a step, each on its share. */
const SEVERAL: ShortRun = {
  changes: { pathsPerStep: 3, pathBatch: 'share' },
  hasCandidates: false,
};

/** For an algorithm whose work is not all in twelve steps of its defaults. */
const RUNS: Readonly<Partial<Record<string, ShortRun>>> = {
  cream: { changes: { warmupEpochs: 0, metaInterval: 3 }, hasCandidates: true },
  random: { changes: { averaging: 0.25 }, hasCandidates: false },
  sandwich: SEVERAL,
  spos: SEVERAL,
};

const PLAIN: ShortRun = { changes: {}, hasCandidates: false };

for (const [name, definition] of Object.entries(ALGORITHMS)) {
  describeAlgorithm(name, definition, RUNS[name] ?? PLAIN);
}
