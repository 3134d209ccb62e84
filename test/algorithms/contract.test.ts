import { ALGORITHMS } from '../../src/algorithms/registry.ts';
import { describeAlgorithm, type ShortRun } from '../contract/algorithm.ts';

/** For an algorithm whose work is not all in twelve steps of its defaults. */
const RUNS: Readonly<Partial<Record<string, ShortRun>>> = {
  cream: { changes: { warmupEpochs: 0, metaInterval: 3 }, hasCandidates: true },
  spos: { changes: { pathsPerStep: 3, pathBatch: 'share' }, hasCandidates: false },
};

const PLAIN: ShortRun = { changes: {}, hasCandidates: false };

for (const [name, definition] of Object.entries(ALGORITHMS)) {
  describeAlgorithm(name, definition, RUNS[name] ?? PLAIN);
}
